#include "compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "routing/rule/request_view.h"

namespace weir::oracle {
namespace {

using nlohmann::json;
using routing::Action;
using routing::Decision;
using routing::DecisionDestination;

/// As we write it: Envoy's list of endpoints leaves out the brackets of an IPv6 address.
std::string address_of(const json& endpoint) {
  std::string text = endpoint["address"];
  const size_t colon = text.rfind(':');
  if (text.find(':') == colon || text.starts_with('[')) return text;
  return "[" + text.substr(0, colon) + "]" + text.substr(colon);
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class Comparison {
 public:
  Comparison(const routing::Request& request, const Decision& decision, const json& answer)
      : request_(request), decision_(decision), answer_(answer) {
    if (answer.contains("route") && answer["route"].is_object()) route_ = answer["route"];
    by_api_ = decision.rule && decision.rule->kind != "VirtualService";
    if (answer.contains("observed") && !answer["observed"].empty()) observed_ = answer["observed"][0];
    if (observed_.contains("envoy")) details_ = text_of(observed_["envoy"], "details");
  }

  std::vector<std::string> run() {
    if (route_.is_null()) {
      compare_refusal();
    } else if (route_.contains("redirect")) {
      compare_redirect();
    } else if (route_.contains("direct_response")) {
      compare_direct_response();
    } else if (is_passed_through()) {
      compare_pass_through();
    } else {
      compare_split();
    }
    return std::move(differences_);
  }

 private:
  template <class A, class B>
  void expect(const std::string& what, const A& ours, const B& theirs) {
    if (ours == theirs) return;
    std::ostringstream line;
    line << what << ": " << ours << ", Istio: " << theirs;
    differences_.push_back(line.str());
  }

  static std::string status_text(const std::optional<int>& status) { return status ? std::to_string(*status) : "none"; }
  std::string their_status() const {
    return answer_["status"].is_null() ? "none" : std::to_string(answer_["status"].get<int>());
  }

  std::string their_location() const {
    for (const auto& field : observed_.value("response_headers", json::array())) {
      if (field[0] == "location") return field[1];
    }
    return "none";
  }

  // Nothing matched, refused before routing, closed, or redirected by the Gateway itself.
  void compare_refusal() {
    const std::string location = their_location();
    expect("action", to_string(decision_.action), to_string(location == "none" ? Action::kNoRoute : Action::kRedirect));
    expect("status", status_text(decision_.status), their_status());
    expect("location", decision_.redirect.value_or("none"), location);
  }

  void compare_redirect() {
    expect("action", to_string(decision_.action), to_string(Action::kRedirect));
    expect("status", status_text(decision_.status), their_status());
    expect("location", decision_.redirect.value_or("none"), their_location());
    compare_rule();
    compare_response_headers();
  }

  void compare_direct_response() {
    // REGISTRY_ONLY's 502 is a direct response of Envoy's, and no rule's.
    const bool refused = text_of(route_, "vhost") == "block_all";
    expect("action", to_string(decision_.action), to_string(refused ? Action::kNoRoute : Action::kDirectResponse));
    expect("status", status_text(decision_.status), their_status());
    if (refused) return;
    compare_rule();
    compare_response_headers();
  }

  bool is_passed_through() const {
    for (const auto& destination : route_["destinations"]) {
      const std::string cluster = text_of(destination, "cluster");
      if (cluster == "PassthroughCluster" || cluster == "BlackHoleCluster") return true;
    }
    return false;
  }

  void compare_pass_through() {
    const bool closed = text_of(route_["destinations"][0], "cluster") == "BlackHoleCluster";
    expect("action", to_string(decision_.action), to_string(closed ? Action::kNoRoute : Action::kDefault));
    expect("destinations", decision_.destinations.size(), 0U);
    expect("rule", decision_.rule.has_value(), false);
  }

  void compare_split() {
    compare_rule();
    compare_destinations();
    compare_timing();
    compare_mirrors();
    const bool preflight = details_ == "cors_response", aborted = details_ == "fault_filter_abort";
    if (preflight || aborted) {
      expect("action", to_string(decision_.action), to_string(aborted ? Action::kAbort : Action::kDirectResponse));
      expect("status", status_text(decision_.status), their_status());
    } else {
      const bool refused = !can_anyone_serve() && request_.is_http && route_.contains("timeout");
      expect("status", status_text(decision_.status), refused ? by_api_ ? "500" : "503" : "none");
    }
    compare_request();
    compare_response_headers();
  }

  // The default route's name is "default", and so is that of many a rule; other names must be the rule's.
  void compare_rule() {
    const std::string theirs = text_of(route_, "name");
    if (!route_.contains("name") || route_["name"].is_null()) return;  // a connection
    if (decision_.rule) {
      const routing::Origin& rule = *decision_.rule;
      // Istio's name of a Gateway API route's rule.
      const std::string by_place = rule.namespace_ + "." + rule.name + "." + std::to_string(rule.index);
      expect("rule", by_api_ ? by_place : rule.route, theirs);
    } else {
      expect("rule", std::string("default"), theirs);
    }
  }

  // ---------------------------------------------------------------- destinations

  static bool is_healthy(const json& endpoint) {
    const std::string health = text_of(endpoint, "health");
    return health.empty() || health == "HEALTHY" || health == "UNKNOWN";
  }

  static std::set<std::string> healthy(const json& destination) {
    std::set<std::string> result;
    for (const auto& endpoint : destination.value("endpoints", json::array())) {
      if (is_healthy(endpoint)) result.insert(address_of(endpoint));
    }
    return result;
  }

  bool can_anyone_serve() const {
    return std::ranges::any_of(route_["destinations"], [](const json& destination) {
      return destination.value("exists", false) &&
             (destination.contains("original_dst") || !healthy(destination).empty());
    });
  }

  static std::string join(const std::set<std::string>& words) {
    std::string result;
    for (const auto& word : words) result += (result.empty() ? "" : " ") + word;
    return result.empty() ? "none" : result;
  }

  static std::string share_text(double share) {
    std::ostringstream text;
    text.precision(9);
    text << share;
    return text.str();
  }

  void compare_destinations() {
    const json& theirs = route_["destinations"];
    expect("number of destinations", decision_.destinations.size(), theirs.size());
    if (decision_.destinations.size() != theirs.size()) return;
    double sum = 0;
    for (const auto& destination : theirs) sum += destination["weight"].get<double>();
    for (size_t i = 0; i < theirs.size(); ++i) compare_destination(i, decision_.destinations[i], theirs[i], sum);
  }

  void compare_destination(size_t index, const DecisionDestination& ours, const json& theirs, double sum) {
    const std::string what = "destination " + std::to_string(index) + " ";
    expect(what + "share", share_text(ours.share), share_text(theirs["weight"].get<double>() / sum));
    expect(what + "exists", ours.exists, theirs.value("exists", false));
    if (!theirs.contains("host")) return;  // Envoy's name for a backend that must not be followed
    expect(what + "host", ours.host, text_of(theirs, "host"));
    expect(what + "port", ours.port, theirs["port"].get<int>());
    expect(what + "subset", ours.subset, text_of(theirs, "subset"));
    if (!theirs.contains("original_dst")) compare_endpoints(what, ours, theirs);
  }

  void compare_endpoints(const std::string& what, const DecisionDestination& ours, const json& theirs) {
    // The oracle's own stand-in for DNS.
    const auto from_dns = [](const std::string& address) {
      return address.starts_with("198.18.") || address.starts_with("198.19.");
    };
    const std::set<std::string> expected = healthy(theirs);
    if (std::ranges::any_of(expected, from_dns)) return;
    std::set<std::string> addresses;
    for (const auto& endpoint : ours.endpoints) addresses.insert(to_string(endpoint.address, endpoint.port));
    expect(what + "endpoints", join(addresses), join(expected));
    for (const auto& endpoint : theirs.value("endpoints", json::array())) compare_weight(what, ours, endpoint);
  }

  void compare_weight(const std::string& what, const DecisionDestination& ours, const json& theirs) {
    for (const auto& endpoint : ours.endpoints) {
      const std::string address = to_string(endpoint.address, endpoint.port);
      if (address == address_of(theirs))
        expect(what + address + " weight", endpoint.weight, theirs.value("weight", 1U));
    }
  }

  // ---------------------------------------------------------------- timeout, retries, mirrors

  void compare_timing() {
    if (!route_.contains("timeout")) return;  // a connection
    const double seconds = std::stod(text_of(route_, "timeout"));
    const auto milliseconds = static_cast<int64_t>(std::lround(seconds * 1000));
    expect("timeout", decision_.timeout_ms.value_or(0), milliseconds);
    expect("retries", our_retries(), their_retries());
  }

  std::string our_retries() const {
    if (!decision_.retries) return "none";
    std::string on = decision_.retries->on;
    // The Gateway API's `retry` includes resets, which Istio leaves out.
    if (const size_t at = on.find(",reset"); by_api_ && at != std::string::npos) on.erase(at, 6);
    return std::to_string(decision_.retries->attempts) + " on " + on;
  }

  std::string their_retries() const {
    if (!route_.contains("retries") || route_["retries"].is_null()) return "none";
    const json& retries = route_["retries"];
    std::string on = text_of(retries, "retry_on");
    const json statuses = retries.value("retriable_status_codes", json());
    if (statuses.is_array() && !statuses.empty()) {
      constexpr std::string_view kByStatus = ",retriable-status-codes";
      if (on.ends_with(kByStatus)) on.resize(on.size() - kByStatus.size());
      for (const auto& status : statuses) on += "," + std::to_string(status.get<int>());
    }
    return std::to_string(retries["num_retries"].get<int>()) + " on " + on;
  }

  void compare_mirrors() {
    std::set<std::string> ours, theirs;
    for (const auto& mirror : decision_.mirrors) {
      ours.insert("outbound|" + std::to_string(mirror.port) + "|" + mirror.subset + "|" + mirror.host + " " +
                  share_text(mirror.share));
    }
    for (const auto& mirror : route_.value("mirrors", json::array())) {
      const json& fraction = mirror["fraction"];
      const double scale = text_of(fraction, "denominator") == "MILLION"        ? 1e6
                           : text_of(fraction, "denominator") == "TEN_THOUSAND" ? 1e4
                                                                                : 100;
      theirs.insert(text_of(mirror, "cluster") + " " + share_text(fraction["numerator"].get<double>() / scale));
    }
    expect("mirrors", join(ours), join(theirs));
  }

  // ---------------------------------------------------------------- what the endpoint and the client saw

  using Fields = std::map<std::string, std::vector<std::string>>;

  static bool is_ignored(const std::string& name) {
    static const std::set<std::string> kIgnored = {
        "host",           "x-request-id", "x-forwarded-proto", "x-forwarded-for",   "connection",
        "content-length", "content-type", "location",          "transfer-encoding", ":authority"};
    return name.starts_with("x-envoy-") || kIgnored.contains(name);
  }

  static void put(Fields& fields, std::string name, const std::string& value) {
    std::ranges::transform(name, name.begin(), routing::ascii_lower);
    if (!is_ignored(name)) fields[name].push_back(value);
  }

  static void apply(Fields& fields, const routing::HeaderEffect& effect) {
    for (const auto& name : effect.remove) fields.erase(name);
    for (const auto& [name, value] : effect.set) fields[name] = {value};
    for (const auto& [name, value] : effect.add) fields[name].push_back(value);
    std::erase_if(fields, [](const auto& field) { return is_ignored(field.first); });
  }

  static std::string to_text(const Fields& fields) {
    std::string text;
    for (const auto& [name, values] : fields) {
      text += name + "=";
      for (size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ",") + values[i];
      text += "; ";
    }
    return text;
  }

  static Fields fields_of(const json& pairs) {
    Fields fields;
    for (const auto& pair : pairs) put(fields, pair[0], pair[1]);
    return fields;
  }

  /// Of the destination that answered, else the decision's.
  const DecisionDestination* answering(const json& echo) const {
    for (const auto& destination : decision_.destinations) {
      for (const auto& endpoint : destination.endpoints) {
        if (to_string(endpoint.address, endpoint.port) == text_of(echo, "endpoint")) return &destination;
      }
    }
    return nullptr;
  }

  void compare_request() {
    if (!observed_.contains("echo") || !observed_["echo"].is_object() || !route_.contains("timeout")) return;
    const json& echo = observed_["echo"];
    const DecisionDestination* destination = answering(echo);
    const auto& effect = destination && destination->request ? destination->request : decision_.request;
    if (!effect) return differences_.push_back("request: none is said to reach an endpoint");
    expect("path", effect->path, text_of(echo, "path"));
    Fields ours;
    for (const auto& [name, value] : request_.headers) put(ours, name, value);
    apply(ours, *effect);
    expect("request headers", to_text(ours), to_text(fields_of(echo["headers"])));
    for (const auto& pair : echo["headers"]) {
      if (pair[0] == "host") expect("host", effect->host, pair[1].get<std::string>());
    }
  }

  void compare_response_headers() {
    if (!observed_.contains("response_headers") || (request_.sni && !decision_.request)) return;
    if (!route_.contains("name") || route_["name"].is_null()) return;  // a connection
    const json echo = observed_.contains("echo") ? observed_["echo"] : json();
    const DecisionDestination* destination = echo.is_object() ? answering(echo) : nullptr;
    const auto& effect = destination && destination->response ? destination->response : decision_.response;
    Fields ours;
    if (echo.is_object()) {
      for (const auto& [name, value] : request_.headers) {
        if (name != "x-oracle-resp-header") continue;
        const size_t colon = value.find(": ");
        put(ours, value.substr(0, colon), value.substr(colon + 2));
      }
    }
    if (effect) apply(ours, *effect);
    expect("response headers", to_text(ours), to_text(fields_of(observed_["response_headers"])));
  }

  const routing::Request& request_;
  const Decision& decision_;
  const json& answer_;
  json route_, observed_;
  std::string details_;
  bool by_api_ = false;  // by a route of the Gateway API
  std::vector<std::string> differences_;
};

}  // namespace

std::vector<std::string> differences(const routing::Request& request, const Decision& decision, const json& answer) {
  return Comparison(request, decision, answer).run();
}

}  // namespace weir::oracle
