#include "routing/plan/outside.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "routing/codes.h"
#include "routing/condition.h"

namespace weir::routing {
namespace {

constexpr uint8_t kTcp = 6;

/// An address and port of the service that is dialled from outside.
struct Place {
  IpAddress address;
  uint16_t port = 0;
};

std::vector<Place> places_of(const Service& service, const ServicePort& port, const std::vector<IpAddress>& node) {
  std::vector<Place> places;
  const auto add = [&](const IpAddress& address, uint16_t number) {
    const bool known = std::any_of(places.begin(), places.end(), [&](const Place& place) {
      return place.address == address && place.port == number;
    });
    if (!known) places.push_back({address, number});
  };
  for (const IpAddress& address : service.external_addresses) add(address, port.number);
  if (port.node_port != 0)
    for (const IpAddress& address : node) add(address, port.node_port);
  return places;
}

std::optional<uint32_t> frontend_for_all(const ServicePlan& plan, bool v4) {
  for (size_t i = 0; i < plan.frontends.size(); ++i)
    if (plan.frontends[i].source == 0 && plan.frontends[i].address.is_v4() == v4) return static_cast<uint32_t>(i);
  return std::nullopt;
}

/// The split less endpoints that nobody outside may be sent to: on loopback, where the kernel drops what comes from
/// elsewhere, and, with externalTrafficPolicy Local, on other nodes. Index of it, which may be the split itself.
uint32_t split_from_outside(const Service& service, uint32_t index, ServicePlan& plan,
                            config::Diagnostics& conditions) {
  PlanSplit split = plan.splits[index];
  size_t on_loopback = 0;
  for (PlanDestination& destination : split.destinations) {
    on_loopback += std::erase_if(destination.endpoints, [](const PlanEndpoint& e) { return e.address.is_loopback(); });
    if (service.external_local)
      std::erase_if(destination.endpoints, [](const PlanEndpoint& endpoint) { return !endpoint.local; });
  }
  if (split == plan.splits[index]) return index;
  if (on_loopback > 0)
    conditions.push_back(condition(config::Level::kWarning, code::kOutsideNotSplit, service.origin,
                                   "endpoints on loopback get nothing from outside the node"));
  split.name += "/outside";
  const auto same = [&](const PlanSplit& other) { return other.name == split.name; };
  const auto found = std::find_if(plan.splits.begin(), plan.splits.end(), same);
  if (found != plan.splits.end()) return static_cast<uint32_t>(found - plan.splits.begin());
  plan.splits.push_back(std::move(split));
  return static_cast<uint32_t>(plan.splits.size() - 1);
}

void say_not_split(const Service& service, const ServicePort& port, config::Diagnostics& conditions) {
  std::string what;
  if (port.node_port != 0) what = "node port " + std::to_string(port.node_port);
  for (const IpAddress& address : service.external_addresses)
    what += (what.empty() ? "" : ", ") + weir::to_string(address, port.number);
  conditions.push_back(condition(
      config::Level::kInfo, code::kOutsideNotSplit, service.origin,
      "rules hold for connections from outside the node (" + what + ") only where weir agent runs with --interface"));
}

}  // namespace

bool is_on_node(const Table& table, const Endpoint& endpoint) {
  if (!table.outside) return false;
  if (!endpoint.workload->node.empty()) return endpoint.workload->node == table.outside->node;
  const auto& local = table.outside->local_addresses;
  return endpoint.address.is_loopback() || std::binary_search(local.begin(), local.end(), endpoint.address);
}

void plan_outside(const Table& table, const Service& service, const ServicePort& port, ServicePlan& plan,
                  config::Diagnostics& conditions) {
  const bool is_split = frontend_for_all(plan, true) || frontend_for_all(plan, false);
  if (!port.tcp || !is_split || (port.node_port == 0 && service.external_addresses.empty())) return;
  if (!table.outside) return say_not_split(service, port, conditions);
  for (const Place& place : places_of(service, port, table.outside->node_addresses)) {
    const auto like = frontend_for_all(plan, place.address.is_v4());
    if (!like) continue;
    PlanFrontend frontend = plan.frontends[*like];
    if (frontend.split != kNoSplit) frontend.split = split_from_outside(service, frontend.split, plan, conditions);
    frontend.address = place.address;
    frontend.port = place.port;
    frontend.protocol = kTcp;
    frontend.source = kOutside;
    frontend.like = *like;
    plan.frontends.push_back(frontend);
  }
}

}  // namespace weir::routing
