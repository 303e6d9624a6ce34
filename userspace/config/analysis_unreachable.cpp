// IST0130 and IST0131: rules and matches that an earlier one leaves nothing to
// (istio/istio pkg/config/validation: analyzeUnreachableHTTPRules and its siblings).

#include <algorithm>

#include "config/analysis_index.h"
#include "config/codes.h"
#include "config/names.h"

namespace weir::config::analysis {
namespace {

using Type = StringMatch::Type;

bool same(const StringMatch& a, const StringMatch& b) {
  return a.type == b.type && a.value == b.value;
}

bool starts_with(std::string_view text, std::string_view prefix, bool no_case) {
  return no_case ? to_lower(text).starts_with(to_lower(prefix)) : text.starts_with(prefix);
}

/// Does whatever `later` takes match `earlier` too? `no_case` is of `earlier`.
bool covers(const StringMatch& earlier, const StringMatch& later, bool no_case, bool later_no_case) {
  if (earlier.type == Type::kPresent) return true;
  if (earlier.type == Type::kRegex) return earlier.value == ".*" || same(earlier, later);
  if (later_no_case && !no_case && to_lower(earlier.value) != to_upper(earlier.value)) return false;
  if (later.type == Type::kRegex || later.type == Type::kPresent) return false;
  if (earlier.type == Type::kPrefix) return starts_with(later.value, earlier.value, no_case);
  if (later.type != Type::kExact) return false;
  return no_case ? to_lower(earlier.value) == to_lower(later.value) : earlier.value == later.value;
}

/// Every path begins with "/".
bool takes_every_path(const std::optional<StringMatch>& uri) {
  if (!uri || uri->type == Type::kPresent) return true;
  if (uri->type == Type::kPrefix) return uri->value.empty() || uri->value == "/";
  return uri->type == Type::kRegex && (uri->value == ".*" || uri->value == "/.*");
}

bool covers(const std::optional<StringMatch>& earlier, const std::optional<StringMatch>& later) {
  return !earlier || (later && covers(*earlier, *later, false, false));
}

using Matches = std::map<std::string, StringMatch>;

bool covers(const Matches& earlier, const Matches& later, bool exactly) {
  return std::all_of(earlier.begin(), earlier.end(), [&](const auto& wanted) {
    const auto found = later.find(wanted.first);
    if (found == later.end()) return false;
    return exactly ? same(wanted.second, found->second) : covers(wanted.second, found->second, false, false);
  });
}

/// port, sourceLabels, sourceNamespace, gateways: of http, tcp and tls matches alike.
template <class Match>
bool covers_client(const Match& earlier, const Match& later) {
  if (earlier.port && (!later.port || earlier.port->value != later.port->value)) return false;
  if (!earlier.gateways.empty()) {
    if (later.gateways.empty()) return false;
    const bool all = std::all_of(later.gateways.begin(), later.gateways.end(), [&](const auto& name) {
      return std::any_of(earlier.gateways.begin(), earlier.gateways.end(),
                         [&](const auto& own) { return own.value == name.value; });
    });
    return all;  // with gateways, source labels and namespace are not looked at
  }
  if (!later.gateways.empty()) return false;
  if (!earlier.source_namespace.empty() && earlier.source_namespace != later.source_namespace) return false;
  return has_all(later.source_labels, earlier.source_labels);
}

bool covers_match(const HttpMatch& earlier, const HttpMatch& later) {
  const bool path = takes_every_path(earlier.uri) ||
                    (later.uri && covers(*earlier.uri, *later.uri, earlier.ignore_uri_case, later.ignore_uri_case));
  return path && covers(earlier.scheme, later.scheme) && covers(earlier.method, later.method) &&
         covers(earlier.authority, later.authority) && covers(earlier.headers, later.headers, false) &&
         covers(earlier.without_headers, later.without_headers, true) &&
         covers(earlier.query_params, later.query_params, false) && covers_client(earlier, later);
}

bool covers_match(const L4Match& earlier, const L4Match& later) {
  const auto inside = [&](const Cidr& narrow) {
    return std::any_of(earlier.destination_subnets.begin(), earlier.destination_subnets.end(),
                       [&](const Cidr& wide) { return wide.prefix <= narrow.prefix && wide.contains(narrow.address); });
  };
  if (!earlier.destination_subnets.empty() &&
      (later.destination_subnets.empty() ||
       !std::all_of(later.destination_subnets.begin(), later.destination_subnets.end(), inside))) {
    return false;
  }
  if (earlier.source_subnet && (!later.source_subnet || earlier.source_subnet->prefix > later.source_subnet->prefix ||
                                !earlier.source_subnet->contains(later.source_subnet->address))) {
    return false;
  }
  const auto named = [&](const auto& sni) {
    return std::any_of(earlier.sni_hosts.begin(), earlier.sni_hosts.end(),
                       [&](const auto& own) { return host_covers(own.value, sni.value); });
  };
  if (!std::all_of(later.sni_hosts.begin(), later.sni_hosts.end(), named)) return false;
  return covers_client(earlier, later);
}

/// Duplicates count as Istio counts them: equal in all but name.
template <class Match>
bool duplicates(const Match& a, const Match& b) {
  return covers_match(a, b) && covers_match(b, a);
}

/// Within one rule a narrower uri is no mistake worth a line: both go to the same place. Istio says nothing of an exact
/// path under a prefix there.
bool worth_saying(const HttpMatch& earlier, const HttpMatch& later, bool same_rule) {
  return !same_rule || !earlier.uri || !later.uri || later.uri->type == earlier.uri->type;
}
bool worth_saying(const L4Match& /*earlier*/, const L4Match& /*later*/, bool /*same_rule*/) {
  return true;
}

bool takes_everything(const HttpMatch& match) {
  return covers_match(match, HttpMatch{});
}
bool takes_everything(const L4Match& match) {
  return match.sni_hosts.empty() && covers_match(match, L4Match{});
}

/// The rules of a delegate need not take all that the root sends there: what is left goes to later rules.
bool may_leave_some(const HttpRoute& route) {
  return route.delegate.has_value();
}
bool may_leave_some(const L4Route& /*route*/) {
  return false;
}

std::string name_of(const HttpRoute& route, size_t index) {
  return route.name.empty() ? "#" + std::to_string(index) : quote(route.name);
}
std::string name_of(const L4Route& /*route*/, size_t index) {
  return "#" + std::to_string(index);
}
std::string name_of(const HttpMatch& match, size_t index) {
  return match.name.empty() ? "#" + std::to_string(index) : quote(match.name);
}
std::string name_of(const L4Match& /*match*/, size_t index) {
  return "#" + std::to_string(index);
}

template <class Route>
class RuleCheck {
 public:
  RuleCheck(const VirtualService& object, const std::vector<Route>& routes, Diagnostics& out)
      : object_(object), routes_(routes), out_(out) {}

  void check_all() {
    std::optional<size_t> catch_all;
    for (size_t i = 0; i < routes_.size(); ++i) {
      const Route& route = routes_[i];
      const size_t duplicates = check_matches(i);
      if (catch_all) {
        unreachable(i, route.match.empty()
                           ? "only the last rule can have no matches"
                           : "rule " + name_of(routes_[*catch_all], *catch_all) + " takes everything before");
      } else if (!route.match.empty() && duplicates == route.match.size()) {
        unreachable(i, "all matches used by prior rules");
      }
      const bool everything =
          route.match.empty() || std::any_of(route.match.begin(), route.match.end(),
                                             [](const auto& match) { return takes_everything(match); });
      if (everything && !may_leave_some(route) && !catch_all) catch_all = i;
    }
  }

 private:
  /// Reports each match of rule `rule` that an earlier one covers; how many of them are plain duplicates of other
  /// rules'.
  size_t check_matches(size_t rule) {
    size_t count = 0;
    for (size_t i = 0; i < routes_[rule].match.size(); ++i) {
      const auto& match = routes_[rule].match[i];
      for (size_t other = 0; other <= rule; ++other) {
        if (may_leave_some(routes_[other]) && other != rule) continue;
        const size_t end = other == rule ? i : routes_[other].match.size();
        const auto first = routes_[other].match.begin();
        const auto found = std::find_if(first, first + static_cast<ptrdiff_t>(end), [&](const auto& earlier) {
          return covers_match(earlier, match) && worth_saying(earlier, match, other == rule);
        });
        if (found == first + static_cast<ptrdiff_t>(end)) continue;
        const bool duplicate = duplicates(*found, match);
        ineffective(rule, i, other, static_cast<size_t>(found - first), duplicate);
        count += duplicate && other != rule;
        break;
      }
    }
    return count;
  }

  void unreachable(size_t rule, const std::string& reason) {
    out_.push_back(finding(Level::kWarning, code::kUnreachableRule, object_.meta, routes_[rule].at,
                           "VirtualService rule " + name_of(routes_[rule], rule) + " not used (" + reason + ")",
                           "rules are tried in order, the first that matches is taken: move it up, or remove it"));
  }

  void ineffective(size_t rule, size_t match, size_t other, size_t earlier, bool duplicate) {
    out_.push_back(finding(Level::kInfo, code::kIneffectiveMatch, object_.meta, routes_[rule].match[match].at,
                           "VirtualService rule " + name_of(routes_[rule], rule) + " match " +
                               name_of(routes_[rule].match[match], match) + " is not used (" +
                               (duplicate ? "duplicates" : "overlaps with") + " a match in rule " +
                               name_of(routes_[other], other) + ")",
                           "the earlier one is in line " + std::to_string(routes_[other].match[earlier].at.line)));
  }

  const VirtualService& object_;
  const std::vector<Route>& routes_;
  Diagnostics& out_;
};

}  // namespace

void check_unreachable(const Index& index, Diagnostics& out) {
  for (const VirtualService* object : index.virtual_services) {
    RuleCheck<HttpRoute>(*object, object->http, out).check_all();
    RuleCheck<L4Route>(*object, object->tls, out).check_all();
    RuleCheck<L4Route>(*object, object->tcp, out).check_all();
  }
}

}  // namespace weir::config::analysis
