#include "routing/build/rules.h"

#include <algorithm>
#include <utility>

#include "config/codes.h"
#include "routing/build/delegates.h"
#include "routing/build/objects.h"
#include "routing/hosts.h"

namespace weir::routing {

namespace {

constexpr const char* kSplitAnnotation = "weir.dev/split";
constexpr const char* kProxyFailureAnnotation = "weir.dev/on-proxy-failure";

bool says(const config::Metadata& meta, const char* annotation, const char* word) {
  const auto found = meta.annotations.find(annotation);
  return found != meta.annotations.end() && found->second == word;
}

std::vector<std::string> full_gateways(const std::vector<config::Located<std::string>>& written,
                                       std::string_view namespace_) {
  std::vector<std::string> gateways;
  gateways.reserve(written.size());
  for (const auto& gateway : written) gateways.push_back(full_gateway(gateway.value, namespace_));
  return gateways;
}

/// Compiles one VirtualService; a class only so that its steps share what they add to.
class Compiler {
 public:
  Compiler(const config::ObjectPtr& object, const config::MeshConfig& mesh, const FindVirtualService& find_delegate)
      : object_(object),
        written_(std::get<config::VirtualService>(*object)),
        mesh_(mesh),
        find_delegate_(find_delegate) {}

  CompiledVirtualService compile();

 private:
  void describe();

  /// `author` wrote the route: the delegate where there is one. Both pointers' targets outlive the table.
  void add_http(const config::HttpRoute* route, std::shared_ptr<const config::HttpRoute> merged,
                const config::Metadata& author, int index);

  void take_delegate(const config::HttpRoute& root, size_t index);

  std::string delegate_problem(const config::ObjectPtr& found, const std::string& key) const;

  void add_l4(const config::L4Route& route, std::vector<L4Route>& into);

  const config::ObjectPtr& object_;
  const config::VirtualService& written_;
  const config::MeshConfig& mesh_;
  const FindVirtualService& find_delegate_;
  std::shared_ptr<VirtualService> rule_ = std::make_shared<VirtualService>();
  CompiledVirtualService compiled_;
};

CompiledVirtualService Compiler::compile() {
  describe();
  for (size_t i = 0; i < written_.http.size(); ++i) {
    if (written_.http[i].delegate) {
      take_delegate(written_.http[i], i);
    } else {
      add_http(&written_.http[i], nullptr, written_.meta, static_cast<int>(rule_->http.size()));
    }
  }
  for (const config::L4Route& route : written_.tcp) add_l4(route, rule_->tcp);
  for (const config::L4Route& route : written_.tls) add_l4(route, rule_->tls);
  compiled_.rule = std::move(rule_);
  return std::move(compiled_);
}

void Compiler::describe() {
  const config::Metadata& meta = written_.meta;
  rule_->namespace_ = meta.namespace_;
  rule_->name = meta.name;
  rule_->creation = meta.creation_timestamp;
  rule_->object = object_;
  rule_->config = &written_;
  rule_->origin = origin_of(meta);
  rule_->export_to = export_to(written_.export_to, meta.namespace_);
  rule_->is_delegate = written_.hosts.empty();
  rule_->gateways = full_gateways(written_.gateways, meta.namespace_);
  if (rule_->gateways.empty()) rule_->gateways.emplace_back("mesh");
  for (const auto& host : written_.hosts) {
    std::string full = full_host(host.value, meta.namespace_, mesh_.cluster_domain);
    if (std::find(rule_->hosts.begin(), rule_->hosts.end(), full) == rule_->hosts.end())
      rule_->hosts.push_back(std::move(full));
  }
  rule_->split_by_request = says(meta, kSplitAnnotation, "request");
  rule_->refuse_without_proxy = says(meta, kProxyFailureAnnotation, "refuse");
}

void Compiler::add_http(const config::HttpRoute* route, std::shared_ptr<const config::HttpRoute> merged,
                        const config::Metadata& author, int index) {
  HttpRoute compiled;
  compiled.config = route;
  compiled.merged = std::move(merged);
  compiled.namespace_ = author.namespace_;
  compiled.origin = rule_->origin;
  compiled.origin.route = route->name;
  compiled.origin.index = index;
  compiled.origin.file = author.file;
  compiled.origin.at = route->at;
  for (const config::HttpMatch& match : route->match) {
    HttpMatch entry;
    entry.config = &match;
    entry.gateways = full_gateways(match.gateways, author.namespace_);
    if (auto matcher = HttpMatcher::compile(match)) {
      entry.matcher = std::make_shared<const HttpMatcher>(*std::move(matcher));
    } else {
      compiled_.conditions.push_back(finding(config::Level::kError, config::code::kSchemaValidation, author, match.at,
                                             "this match never holds: " + matcher.error().message));
    }
    compiled.match.push_back(std::move(entry));
  }
  rule_->http.push_back(std::move(compiled));
}

void Compiler::take_delegate(const config::HttpRoute& root, size_t index) {
  const config::Delegate& delegate = *root.delegate;
  const std::string key =
      key_of(delegate.namespace_.empty() ? written_.meta.namespace_ : delegate.namespace_, delegate.name.value);
  compiled_.delegates.push_back(key);
  const config::ObjectPtr found = find_delegate_(key);
  if (const std::string problem = delegate_problem(found, key); !problem.empty()) {
    compiled_.conditions.push_back(finding(config::Level::kWarning, config::code::kReferencedResourceNotFound,
                                           written_.meta, delegate.at,
                                           "route " + std::to_string(index) + " is left out: " + problem));
    return;
  }
  rule_->delegates.push_back(found);
  const auto& child = std::get<config::VirtualService>(*found);
  for (const config::HttpRoute& route : child.http) {
    auto merged = merge_delegate(root, route);
    if (!merged) {
      compiled_.conditions.push_back(finding(config::Level::kWarning, config::code::kIneffectiveMatch, child.meta,
                                             route.at,
                                             "route is left out: its match is not inside that of route " +
                                                 std::to_string(index) + " of " + written_.meta.describe()));
      continue;
    }
    auto shared = std::make_shared<const config::HttpRoute>(*std::move(merged));
    add_http(shared.get(), shared, child.meta, static_cast<int>(rule_->http.size()));
  }
}

std::string Compiler::delegate_problem(const config::ObjectPtr& found, const std::string& key) const {
  if (!found) return "delegate VirtualService " + key + " does not exist";
  const auto& child = std::get<config::VirtualService>(*found);
  if (!child.hosts.empty()) return "VirtualService " + key + " has hosts, so it is no delegate";
  if (!export_to(child.export_to, child.meta.namespace_).visible_to(written_.meta.namespace_))
    return "delegate VirtualService " + key + " is not exported to namespace " + written_.meta.namespace_;
  return {};
}

void Compiler::add_l4(const config::L4Route& route, std::vector<L4Route>& into) {
  L4Route compiled;
  compiled.config = &route;
  compiled.origin = rule_->origin;
  compiled.origin.index = static_cast<int>(into.size());
  compiled.origin.at = route.at;
  for (const config::L4Match& match : route.match)
    compiled.match.push_back({&match, full_gateways(match.gateways, written_.meta.namespace_)});
  into.push_back(std::move(compiled));
}

DestinationRule::Subset subset_of(const config::Subset& subset, const config::Metadata& meta) {
  DestinationRule::Subset compiled;
  compiled.config = &subset;
  compiled.origin = origin_of(meta);
  compiled.origin.at = subset.at;
  return compiled;
}

/// Only subsets that are new, and a traffic policy only where there was none: the older rule wins.
void merge_into(DestinationRule& rule, const config::DestinationRule& written, config::Diagnostics& conditions) {
  for (const config::Subset& subset : written.subsets) {
    if (rule.find_subset(subset.name.value)) {
      conditions.push_back(finding(config::Level::kWarning, config::code::kSchemaWarning, written.meta, subset.at,
                                   "subset " + subset.name.value + " is ignored: DestinationRule " + rule.namespace_ +
                                       "/" + rule.name + ", which comes first, has it too"));
      continue;
    }
    rule.subsets.push_back(subset_of(subset, written.meta));
  }
  if (!rule.traffic_policy && written.traffic_policy) rule.traffic_policy = &*written.traffic_policy;
}

}  // namespace

CompiledVirtualService compile_virtual_service(const config::ObjectPtr& object, const config::MeshConfig& mesh,
                                               const FindVirtualService& find_delegate) {
  return Compiler(object, mesh, find_delegate).compile();
}

DestinationRules compile_destination_rules(std::string_view namespace_, std::string_view host,
                                           const std::vector<config::ObjectPtr>& objects,
                                           config::Diagnostics& conditions) {
  DestinationRules result;
  result.namespace_ = namespace_;
  result.host = host;
  for (const config::ObjectPtr& object : objects) {
    const auto& written = std::get<config::DestinationRule>(*object);
    ExportTo exported = export_to(written.export_to, written.meta.namespace_);
    if (!written.workload_selector.empty()) exported = {false, {written.meta.namespace_}};
    const auto joins = [&](const DestinationRule& rule) {
      return rule.workload_selector == written.workload_selector && rule.export_to.everyone == exported.everyone &&
             rule.export_to.namespaces == exported.namespaces;
    };
    const auto found = std::find_if(result.rules.begin(), result.rules.end(), joins);
    if (found != result.rules.end()) {
      merge_into(*found, written, conditions);
      found->objects.push_back(object);
      continue;
    }
    DestinationRule rule;
    rule.namespace_ = namespace_;
    rule.name = written.meta.name;
    rule.host = host;
    rule.export_to = std::move(exported);
    rule.workload_selector = written.workload_selector;
    rule.origin = origin_of(written.meta);
    rule.objects.push_back(object);
    merge_into(rule, written, conditions);
    result.rules.push_back(std::move(rule));
  }
  return result;
}

}  // namespace weir::routing
