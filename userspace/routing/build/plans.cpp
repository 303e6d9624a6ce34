#include <algorithm>
#include <tuple>
#include <utility>

#include "routing/build/state.h"
#include "routing/hosts.h"
#include "routing/plan/gateway.h"

namespace weir::routing {

namespace {

/// Above this many services it is cheaper to sort all anew than to put each in its place.
constexpr size_t kFewServices = 64;

using ServicePlanPtr = std::shared_ptr<const ServicePlan>;

bool in_order(const ServicePlanPtr& a, const ServicePlanPtr& b) {
  return std::tie(a->service, a->port) < std::tie(b->service, b->port);
}

}  // namespace

TableBuilder::State::Keys TableBuilder::State::affected_hosts(bool other_classes) const {
  Keys affected;
  const auto add = [&](std::string_view host) {
    affected.emplace(host);
    const auto found = plans_on_host_.find(host);
    if (found != plans_on_host_.end()) affected.insert(found->second.begin(), found->second.end());
  };
  for (const std::string& host : dirty_.hosts) add(host);
  if (!dirty_.wildcards.empty()) {
    const auto touched = [&](std::string_view host) {
      return std::any_of(dirty_.wildcards.begin(), dirty_.wildcards.end(),
                         [&](const std::string& pattern) { return host_matches(pattern, host) || pattern == host; });
    };
    table_.services.for_each([&](std::string_view host, const auto&) {
      if (touched(host)) add(host);
    });
  }
  if (other_classes || dirty_.all_plans)
    for (const auto& [host, plan] : plans_)
      if (plan.depends_on_sources || dirty_.all_plans) affected.insert(host);
  return affected;
}

void TableBuilder::State::make_plans() {
  const Keys hosts = affected_hosts(classes_.update(table_));
  for (const std::string& host : hosts) replace_plan(host, plan_host(table_, options_, classes_.classes(), host));
  make_gateway_ports();
  publish_plan(hosts);
}

void TableBuilder::State::make_gateway_ports() {
  const bool changed = dirty_.listeners || !dirty_.gateways.empty() || !dirty_.services.empty();
  if (options_.gateways.empty() || !changed) return;
  GatewayPlan plan = plan_gateways(table_, options_.gateways);
  gateway_ports_ = std::move(plan.ports);
  set_conditions("gateway ports", std::move(plan.conditions));
}

void TableBuilder::State::replace_plan(const std::string& host, HostPlan plan) {
  const bool nothing = plan.services.empty() && plan.hosts.empty() && !plan.depends_on_sources;
  set_conditions("plan/" + host, std::move(plan.conditions));
  const auto found = plans_.find(host);
  if (nothing && found == plans_.end()) return;
  KeptPlan& kept = found == plans_.end() ? plans_[host] : found->second;
  for (const std::string& other : kept.hosts) {
    const auto users = plans_on_host_.find(other);
    if (users == plans_on_host_.end()) continue;
    users->second.erase(host);
    if (users->second.empty()) plans_on_host_.erase(users);
  }
  for (const uint32_t source : kept.sources)
    if (--source_uses_[source] == 0) source_uses_.erase(source);
  // A service plan that says the same as before stays the same object: the datapath has nothing to do for it.
  for (ServicePlanPtr& service : plan.services)
    for (const ServicePlanPtr& before : kept.services)
      if (*before == *service) service = before;
  kept.services = std::move(plan.services);
  kept.hosts = std::move(plan.hosts);
  kept.sources = std::move(plan.sources);
  kept.depends_on_sources = plan.depends_on_sources;
  for (const std::string& other : kept.hosts) plans_on_host_[other].insert(host);
  for (const uint32_t source : kept.sources) ++source_uses_[source];
  if (nothing) plans_.erase(host);
}

void TableBuilder::State::publish_plan(const Keys& hosts) {
  if (hosts.size() > kFewServices) {
    planned_.clear();
    for (const auto& [host, plan] : plans_) planned_.insert(planned_.end(), plan.services.begin(), plan.services.end());
    std::sort(planned_.begin(), planned_.end(), in_order);
  } else {
    for (const std::string& host : hosts) {
      const auto first = std::lower_bound(
          planned_.begin(), planned_.end(), host,
          [](const ServicePlanPtr& plan, const std::string& wanted) { return plan->service < wanted; });
      auto last = first;
      while (last != planned_.end() && (*last)->service == host) ++last;
      const auto at = planned_.erase(first, last);
      if (const auto plan = plans_.find(host); plan != plans_.end())
        planned_.insert(at, plan->second.services.begin(), plan->second.services.end());
    }
  }
  auto plan = std::make_shared<Plan>();
  plan->generation = ++generation_;
  plan->services = planned_;
  plan->gateway_ports = gateway_ports_;
  plan->sources = classes_.sources(source_uses_);
  table_.generation = generation_;
  table_.plan = std::move(plan);
}

}  // namespace weir::routing
