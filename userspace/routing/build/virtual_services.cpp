#include "routing/build/virtual_services.h"

#include <algorithm>
#include <utility>

#include "config/codes.h"
#include "routing/build/delegates.h"
#include "routing/build/http_rule.h"
#include "routing/build/objects.h"
#include "routing/hosts.h"

namespace weir::routing {

namespace {

constexpr const char* kSplitAnnotation = "weir.dev/split";
constexpr const char* kProxyFailureAnnotation = "weir.dev/on-proxy-failure";
constexpr const char* kStickyAnnotation = "weir.dev/sticky";

std::string annotation(const config::Metadata& meta, const char* name) {
  const auto found = meta.annotations.find(name);
  return found == meta.annotations.end() ? std::string() : found->second;
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
      : written_(std::get<config::VirtualService>(*object)), mesh_(mesh), find_delegate_(find_delegate) {}

  CompiledVirtualService compile();

 private:
  void describe();
  /// `author` wrote the route: the delegate where there is one. Names in `route` are complete.
  void add_http(const config::HttpRoute& route, const config::Metadata& author);
  void take_delegate(const config::HttpRoute& root, size_t index);
  std::string delegate_problem(const config::ObjectPtr& found, const std::string& key) const;
  void add_l4(const config::L4Route& route, std::vector<L4Rule>& into);

  const config::VirtualService& written_;
  const config::MeshConfig& mesh_;
  const FindVirtualService& find_delegate_;
  std::shared_ptr<RuleSet> rules_ = std::make_shared<RuleSet>();
  std::string sticky_;
  CompiledVirtualService compiled_;
};

CompiledVirtualService Compiler::compile() {
  describe();
  for (size_t i = 0; i < written_.http.size(); ++i) {
    config::HttpRoute route = written_.http[i];
    complete_names(route, written_.meta.namespace_, mesh_.cluster_domain);
    if (route.delegate) {
      take_delegate(route, i);
    } else {
      add_http(route, written_.meta);
    }
  }
  for (const config::L4Route& route : written_.tcp) add_l4(route, rules_->tcp);
  for (const config::L4Route& route : written_.tls) add_l4(route, rules_->tls);
  compiled_.rules = std::move(rules_);
  return std::move(compiled_);
}

void Compiler::describe() {
  const config::Metadata& meta = written_.meta;
  rules_->namespace_ = meta.namespace_;
  rules_->name = meta.name;
  rules_->creation = meta.creation_timestamp;
  rules_->origin = origin_of(meta);
  rules_->export_to = export_to(written_.export_to, meta.namespace_);
  rules_->is_delegate = written_.hosts.empty();
  rules_->gateways = full_gateways(written_.gateways, meta.namespace_);
  if (rules_->gateways.empty()) rules_->gateways.emplace_back(kMesh);
  for (const auto& host : written_.hosts) {
    std::string full = full_host(host.value, meta.namespace_, mesh_.cluster_domain);
    if (std::ranges::find(rules_->hosts, full) == rules_->hosts.end()) rules_->hosts.push_back(std::move(full));
  }
  rules_->split_by_request = annotation(meta, kSplitAnnotation) == "request";
  rules_->refuse_without_proxy = annotation(meta, kProxyFailureAnnotation) == "refuse";
  sticky_ = annotation(meta, kStickyAnnotation);
}

void Compiler::add_http(const config::HttpRoute& route, const config::Metadata& author) {
  Origin origin = rules_->origin;
  origin.route = route.name;
  origin.index = static_cast<int>(rules_->http.size());
  origin.file = author.file;
  origin.at = route.at;
  HttpRule rule = compile_http_rule(route, std::move(origin), author, compiled_.conditions);
  rule.sticky = sticky_;
  if (rule.acts.empty() && !sticky_.empty() && rule.destinations.size() > 1)
    rule.acts = "keeps clients with their version (" + std::string(kStickyAnnotation) + ": " + sticky_ + ")";
  rules_->http.push_back(std::move(rule));
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
  const auto& child = std::get<config::VirtualService>(*found);
  for (config::HttpRoute route : child.http) {
    complete_names(route, child.meta.namespace_, mesh_.cluster_domain);
    const auto merged = merge_delegate(root, route);
    if (!merged) {
      compiled_.conditions.push_back(finding(config::Level::kWarning, config::code::kIneffectiveMatch, child.meta,
                                             route.at,
                                             "route is left out: its match is not inside that of route " +
                                                 std::to_string(index) + " of " + written_.meta.describe()));
      continue;
    }
    add_http(*merged, child.meta);
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

void Compiler::add_l4(const config::L4Route& route, std::vector<L4Rule>& into) {
  L4Rule rule;
  rule.origin = rules_->origin;
  rule.origin.index = static_cast<int>(into.size());
  rule.origin.at = route.at;
  for (const config::L4Match& written : route.match) {
    L4Match match;
    if (written.port) match.selector.port = written.port->value;
    match.selector.source_labels = written.source_labels;
    match.selector.source_namespace = written.source_namespace;
    match.selector.gateways = full_gateways(written.gateways, written_.meta.namespace_);
    match.destination_subnets = written.destination_subnets;
    match.source_subnet = written.source_subnet;
    for (const auto& host : written.sni_hosts) match.sni_hosts.push_back(to_lower(host.value));
    rule.match.push_back(std::move(match));
  }
  rule.destinations = compile_destinations(route.route, written_.meta.namespace_, mesh_.cluster_domain);
  into.push_back(std::move(rule));
}

}  // namespace

CompiledVirtualService compile_virtual_service(const config::ObjectPtr& object, const config::MeshConfig& mesh,
                                               const FindVirtualService& find_delegate) {
  return Compiler(object, mesh, find_delegate).compile();
}

}  // namespace weir::routing
