#include "routing/plan/service.h"

#include <algorithm>
#include <set>
#include <utility>

#include "routing/codes.h"
#include "routing/condition.h"
#include "routing/hosts.h"
#include "routing/plan/outcome.h"
#include "routing/plan/outside.h"
#include "routing/view/resolve.h"

namespace weir::routing {

namespace {

constexpr uint8_t kTcp = 6;
constexpr const char* kAllServices = "no rule; balanced because --services all";

template <class Rules, class Test>
bool any_selector(const Rules& rules, Test test) {
  return std::ranges::any_of(rules, [&](const auto& rule) {
    return std::ranges::any_of(rule.match, [&](const auto& match) { return test(match.selector); });
  });
}

template <class Test>
bool any_selector(const RuleSet& set, Test test) {
  return any_selector(set.http, test) || any_selector(set.tcp, test) || any_selector(set.tls, test);
}

/// Whether a rule tells clients of one namespace apart.
bool tells_pods_apart(const RuleSet& set) {
  const auto subnet = [](const L4Rule& rule) {
    return std::ranges::any_of(rule.match, [](const L4Match& match) { return match.source_subnet.has_value(); });
  };
  return any_selector(set, [](const Selector& selector) { return !selector.source_labels.empty(); }) ||
         std::ranges::any_of(set.tcp, subnet);
}

bool names_a_namespace(const RuleSet& set) {
  return !set.export_to.everyone ||
         any_selector(set, [](const Selector& selector) { return !selector.source_namespace.empty(); });
}

/// How far the view of a host can differ from client to client.
enum class Differs { kNever, kByNamespace, kByPod };

Differs differs_by_rules(const Table& table, std::string_view host) {
  Differs result = Differs::kNever;
  const auto look = [&](const std::shared_ptr<const HostRules>& rules) {
    if (!rules) return;
    for (const RuleSetPtr& rule : rules->rules) {
      if (tells_pods_apart(*rule)) result = Differs::kByPod;
      if (names_a_namespace(*rule)) result = std::max(result, Differs::kByNamespace);
    }
  };
  look(table.rules.find(host));
  if (table.wildcard_rule_hosts)
    for (const std::string& pattern : *table.wildcard_rule_hosts)
      if (host_matches(pattern, host)) look(table.rules.find(pattern));
  const auto& services = table.services.find(host);
  const auto hidden = [](const ServicePtr& service) { return !service->export_to.everyone; };
  if (services &&
      (services->services.size() > 1 || std::any_of(services->services.begin(), services->services.end(), hidden)))
    result = std::max(result, Differs::kByNamespace);
  return result;
}

bool has_workload_selector(const Table& table, const std::string& namespace_, std::string_view host) {
  if (namespace_.empty()) return false;
  const auto selects = [&](std::string_view pattern) {
    const auto& rules = table.destination_rules.find(namespace_ + "/" + std::string(pattern));
    return rules && std::any_of(rules->rules.begin(), rules->rules.end(),
                                [](const DestinationRule& rule) { return !rule.workload_selector.empty(); });
  };
  if (selects(host)) return true;
  if (!table.wildcard_destination_hosts) return false;
  return std::any_of(
      table.wildcard_destination_hosts->begin(), table.wildcard_destination_hosts->end(), [&](const auto& wildcard) {
        return wildcard.first == namespace_ && host_matches(wildcard.second, host) && selects(wildcard.second);
      });
}

/// Makes the plan of one port; a class so that its steps share the tables they fill.
class PortPlanner {
 public:
  PortPlanner(const Table& table, const BuildOptions& options, std::string_view host, uint16_t port, HostPlan& into)
      : table_(table), options_(options), host_(host), port_(port), host_plan_(into) {}

  void plan(const std::vector<PlanClass>& classes, Differs differs);

 private:
  void plan_for(const Client& client, uint32_t source, const std::string& who, const Service* service,
                const Service* base);

  Outcome outcome_for_node(const Service* base, const IpAddress& address);
  Outcome outcome_for(const Client& client, const Service& service, const ServicePort& port, const IpAddress& address);

  void plan_without_address(const Client& client, const Service& service, const ServicePort& port, uint32_t source);

  /// Keeps what the plan hangs on, and the path and reason of the first client that a rule concerns, or that the proxy
  /// is needed for.
  void note(Outcome& outcome, const Client& client, const Service& service, uint32_t source);

  /// Whether DestinationRules that hold for some pods of the client's namespace only may have a part in the outcome.
  bool uses_workload_selector(const Client& client, const Outcome& outcome) const;

  /// Of two services with one address and port only the one that the address resolves to may have it.
  bool owns(const Client& client, const Service& service, const IpAddress& address);

  void add(const Outcome& outcome, const Service& service, const IpAddress& address, uint32_t source,
           const std::string& who);

  /// Index of the outcome's split for an address of that family.
  uint32_t add_split(const Outcome& outcome, const Service& service, const IpAddress& address, const std::string& who);

  /// Clients with one view share one split, and so one cursor. A view that differs under the same rule is named after
  /// whose it is.
  uint32_t split_index(PlanSplit split, const std::string& base, const std::string& who);

  void finish();

  const Table& table_;
  const BuildOptions& options_;
  const std::string host_;
  const uint16_t port_;
  HostPlan& host_plan_;
  std::shared_ptr<ServicePlan> plan_ = std::make_shared<ServicePlan>();
  bool touched_ = false;
  bool by_labels_ = false;  // a DestinationRule with a workload selector takes part
};

void PortPlanner::plan(const std::vector<PlanClass>& classes, Differs differs) {
  const Client node;
  const Service* base = find_service_by_host(table_, node, host_);
  if (base) plan_->namespace_ = base->namespace_;
  plan_for(node, 0, "", base, base);
  std::set<std::string> same_as_node;  // namespaces whose pods need no look of their own
  for (const PlanClass& entry : classes) {
    const std::string& namespace_ = entry.client.namespace_;
    if (differs < Differs::kByPod && same_as_node.contains(namespace_)) continue;
    const size_t before = plan_->frontends.size();
    const Service* seen = find_service_by_host(table_, entry.client, host_);
    plan_for(entry.client, entry.id, entry.name, seen, base);
    if (plan_->frontends.size() == before && !by_labels_) same_as_node.insert(namespace_);
  }
  if (const ServicePort* served = base ? base->find_port(port_) : nullptr)
    plan_outside(table_, *base, *served, *plan_, host_plan_.conditions);
  finish();
}

void PortPlanner::plan_for(const Client& client, uint32_t source, const std::string& who, const Service* service,
                           const Service* base) {
  const ServicePort* port = service ? service->find_port(port_) : nullptr;
  if (!port || service->resolution == Service::Resolution::kAlias) return;
  if (service->addresses.empty()) return plan_without_address(client, *service, *port, source);
  for (const IpAddress& address : service->addresses) {
    Outcome outcome = outcome_for(client, *service, *port, address);
    note(outcome, client, *service, source);
    const bool is_split = outcome.kind == Outcome::Kind::kSplit;
    if (is_split && !owns(client, *service, address)) continue;
    if (source == 0) {
      if (is_split) add(outcome, *service, address, 0, who);
      continue;
    }
    const Outcome ours = outcome_for_node(base, address);
    const bool base_is_split = ours.kind == Outcome::Kind::kSplit;
    if (!is_split) {
      // Nothing in the maps says "leave this client alone", so it gets what it would have without the rule.
      if (!base_is_split || !owns(client, *service, address)) continue;
      outcome = default_outcome(table_, client, *service, *port, "no rule holds for this client");
      if (outcome.kind != Outcome::Kind::kSplit) continue;
    } else if (base_is_split && ours.rule == outcome.rule && ours.proxied == outcome.proxied &&
               ours.destinations == outcome.destinations) {
      continue;
    }
    add(outcome, *service, address, source, who);
    host_plan_.sources.push_back(source);
  }
}

/// What a client of the node itself meets at the address; untouched where the host does not have the address for it.
Outcome PortPlanner::outcome_for_node(const Service* base, const IpAddress& address) {
  const ServicePort* port = base ? base->find_port(port_) : nullptr;
  if (!port || std::find(base->addresses.begin(), base->addresses.end(), address) == base->addresses.end()) return {};
  Outcome outcome = outcome_for(Client{}, *base, *port, address);
  if (outcome.kind == Outcome::Kind::kSplit && !owns(Client{}, *base, address)) return {};
  return outcome;
}

Outcome PortPlanner::outcome_for(const Client& client, const Service& service, const ServicePort& port,
                                 const IpAddress& address) {
  Outcome outcome = find_outcome(table_, client, service, port, address, options_.http_by_request);
  const bool without_rule = outcome.kind == Outcome::Kind::kUntouched || outcome.rule == "none";
  if (options_.all_services && without_rule) outcome = default_outcome(table_, client, service, port, kAllServices);
  return outcome;
}

void PortPlanner::plan_without_address(const Client& client, const Service& service, const ServicePort& port,
                                       uint32_t source) {
  Outcome outcome = find_outcome(table_, client, service, port, IpAddress{}, options_.http_by_request);
  if (outcome.kind == Outcome::Kind::kSplit) {
    outcome.kind = Outcome::Kind::kLeftAlone;
    outcome.path = Path::kNone;
    outcome.reason = service.ranges.empty() ? "it has no address that a connection could be known by"
                                            : "its address is a range, which is not split";
    auto diagnostic = condition(config::Level::kWarning, code::kNoAddress, service.origin,
                                "rules for " + service.host + " cannot hold: " + outcome.reason);
    diagnostic.hint = "an IP address of its own under spec.addresses";
    outcome.conditions.push_back(std::move(diagnostic));
  }
  note(outcome, client, service, source);
}

void PortPlanner::note(Outcome& outcome, const Client& client, const Service& service, uint32_t source) {
  auto& hosts = host_plan_.hosts;
  hosts.insert(hosts.end(), outcome.hosts.begin(), outcome.hosts.end());
  auto& conditions = host_plan_.conditions;
  std::move(outcome.conditions.begin(), outcome.conditions.end(), std::back_inserter(conditions));
  by_labels_ = by_labels_ || uses_workload_selector(client, outcome);
  if (outcome.kind == Outcome::Kind::kUntouched) return;
  const bool better = outcome.kind == Outcome::Kind::kSplit && source != 0 &&
                      (plan_->path == Path::kNone || (outcome.proxied && plan_->path != Path::kProxy));
  if (touched_ && !better) return;
  touched_ = true;
  plan_->namespace_ = service.namespace_;
  plan_->path = outcome.kind == Outcome::Kind::kSplit ? outcome.path : Path::kNone;
  plan_->reason = outcome.reason + std::string(source != 0 ? kForSomeClients : "");
}

bool PortPlanner::uses_workload_selector(const Client& client, const Outcome& outcome) const {
  return std::any_of(outcome.hosts.begin(), outcome.hosts.end(),
                     [&](const std::string& host) { return has_workload_selector(table_, client.namespace_, host); });
}

bool PortPlanner::owns(const Client& client, const Service& service, const IpAddress& address) {
  const Service* owner = find_service_by_address(table_, client, address, port_);
  if (!owner || owner == &service || owner->host == service.host) return true;
  host_plan_.conditions.push_back(condition(config::Level::kWarning, code::kSharedAddress, service.origin,
                                            "address " + weir::to_string(address, port_) + " of " + service.host +
                                                " belongs to " + owner->host + ", whose rules hold for it"));
  return false;
}

void PortPlanner::add(const Outcome& outcome, const Service& service, const IpAddress& address, uint32_t source,
                      const std::string& who) {
  PlanFrontend frontend{.address = address,
                        .port = port_,
                        .protocol = kTcp,
                        .source = source,
                        .split = kNoSplit,
                        .proxied = outcome.proxied};
  plan_->refuse_without_proxy = plan_->refuse_without_proxy || outcome.refuse_without_proxy;
  if (!outcome.destinations.empty()) frontend.split = add_split(outcome, service, address, who);
  plan_->frontends.push_back(frontend);
}

uint32_t PortPlanner::add_split(const Outcome& outcome, const Service& service, const IpAddress& address,
                                const std::string& who) {
  PlanSplit split;
  split.origin = outcome.origin;
  split.fallback = outcome.proxied;
  split.destinations = outcome.destinations;
  for (PlanDestination& destination : split.destinations)
    std::erase_if(destination.endpoints, [&](const PlanEndpoint& e) { return e.address.is_v4() != address.is_v4(); });
  const bool kubernetes = service.source == Service::Source::kKubernetes;
  const std::string base = service.namespace_ + "/" + (kubernetes ? service.name : service.host) + ":" +
                           std::to_string(port_) + "/" + outcome.rule + (address.is_v4() ? "/v4" : "/v6");
  return split_index(std::move(split), base, who);
}

uint32_t PortPlanner::split_index(PlanSplit split, const std::string& base, const std::string& who) {
  const std::string of_namespace = base + "/for " + who.substr(0, who.find('/'));
  for (const std::string& name : {base, of_namespace, base + "/for " + who}) {
    split.name = name;
    auto& splits = plan_->splits;
    const auto found =
        std::find_if(splits.begin(), splits.end(), [&](const PlanSplit& other) { return other.name == name; });
    if (found == splits.end()) {
      splits.push_back(std::move(split));
      return static_cast<uint32_t>(splits.size() - 1);
    }
    if (*found == split) return static_cast<uint32_t>(found - splits.begin());
  }
  return 0;  // not reached: the last name is this client's own, and asked for once an address family
}

void PortPlanner::finish() {
  if (!touched_) return;
  plan_->service = host_;
  plan_->port = port_;
  host_plan_.services.push_back(std::move(plan_));
}

template <class Value>
void sort_unique(std::vector<Value>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

HostPlan plan_host(const Table& table, const BuildOptions& options, const std::vector<PlanClass>& classes,
                   std::string_view host) {
  HostPlan plan;
  const auto& services = table.services.find(host);
  if (!services) return plan;
  std::set<uint16_t> ports;
  for (const ServicePtr& service : services->services)
    for (const ServicePort& port : service->ports) ports.insert(port.number);
  const Differs differs = differs_by_rules(table, host);
  for (const uint16_t port : ports) PortPlanner(table, options, host, port, plan).plan(classes, differs);
  sort_unique(plan.hosts);
  std::erase(plan.hosts, host);
  sort_unique(plan.sources);
  plan.depends_on_sources = differs != Differs::kNever || !plan.services.empty();
  return plan;
}

}  // namespace weir::routing
