#include "agent/node/kernel_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace weir::agent {
namespace {

/// Thresholds have 32 bits; a share is at most this far from what they can say.
constexpr double kShareTolerance = 1e-8;

const datapath::FrontendView* find_frontend(const datapath::MapsView& maps, const routing::PlanFrontend& wanted) {
  for (const auto& frontend : maps.frontends)
    if (frontend.address == wanted.address && frontend.port == wanted.port && frontend.protocol == wanted.protocol &&
        frontend.source == wanted.source)
      return &frontend;
  return nullptr;
}

std::string name_of(const routing::PlanDestination& destination) {
  return destination.subset.empty() ? destination.host : destination.subset;
}

void compare_endpoints(const routing::PlanDestination& plan, const datapath::DestinationView& kernel,
                       KernelCheck& check) {
  std::set<std::pair<IpAddress, uint16_t>> wanted, found;
  for (const auto& endpoint : plan.endpoints) wanted.emplace(endpoint.address, endpoint.port);
  for (const auto& endpoint : kernel.endpoints)
    if (endpoint.share > 0) found.emplace(endpoint.address, endpoint.port);
  for (const auto& [address, port] : wanted)
    if (!found.contains({address, port}))
      check.differences.push_back(
          fmt::format("{}: endpoint {} is missing in the kernel", name_of(plan), weir::to_string(address, port)));
  for (const auto& [address, port] : found)
    if (!wanted.contains({address, port}))
      check.differences.push_back(
          fmt::format("{}: the kernel has endpoint {} too", name_of(plan), weir::to_string(address, port)));
}

void compare_split(const routing::PlanSplit& plan, const datapath::SplitView& kernel, KernelCheck& check) {
  std::string line = fmt::format("splits {} ({})", kernel.id, kernel.name);
  for (const auto& destination : kernel.destinations)
    if (destination.share > 0) line += fmt::format(" {} {:.4f}%", destination.label, destination.share * 100);
  check.entries.push_back(std::move(line));
  const auto shares = routing::shares(plan);
  for (size_t i = 0; i < plan.destinations.size(); ++i) {
    const auto& wanted = plan.destinations[i];
    const uint32_t key = datapath::destination_key(wanted.host, wanted.port, wanted.subset);
    const auto found = std::ranges::find(kernel.destinations, key, &datapath::DestinationView::key);
    if (found == kernel.destinations.end()) {
      check.differences.push_back(fmt::format("{} is missing in the kernel's split {}", name_of(wanted), kernel.id));
      continue;
    }
    if (std::abs(found->share - shares[i]) > kShareTolerance)
      check.differences.push_back(fmt::format("{} has {:.4f}% in the kernel, {:.4f}% are meant", name_of(wanted),
                                              found->share * 100, shares[i] * 100));
    compare_endpoints(wanted, *found, check);
  }
}

std::string target_of(const datapath::FrontendView& frontend) {
  if (frontend.proxy_port == 0) return fmt::format("split {}", frontend.split);
  std::string text = fmt::format("proxy port {}", frontend.proxy_port);
  if (frontend.split == 0 || frontend.refuse_without_proxy) return text + ", refused without the proxy";
  return text + fmt::format(", split {} without the proxy", frontend.split);
}

void compare_frontend(const routing::ServicePlan& plan, const routing::PlanFrontend& wanted,
                      const datapath::MapsView& maps, std::set<uint32_t>& seen, KernelCheck& check) {
  const std::string place =
      weir::to_string(wanted.address, wanted.port) + (wanted.source == routing::kOutside ? " from outside"
                                                      : wanted.source != 0 ? fmt::format(" source {}", wanted.source)
                                                                           : "");
  const auto* frontend = find_frontend(maps, wanted);
  if (frontend == nullptr) {
    check.differences.push_back("frontends has no entry for " + place);
    return;
  }
  check.entries.push_back("frontends " + place + "/tcp -> " + target_of(*frontend));
  if (wanted.proxied != (frontend->proxy_port != 0))
    check.differences.push_back(place + (wanted.proxied ? " does not go to the proxy, although a rule asks for it"
                                                        : " goes to the proxy, although no rule asks for it"));
  if (wanted.split == routing::kNoSplit) {
    if (frontend->split != 0)
      check.differences.push_back(
          fmt::format("{} has split {}, although it is for the proxy alone", place, frontend->split));
    return;
  }
  const auto& split = plan.splits[wanted.split];
  const auto found = std::ranges::find(maps.splits, frontend->split, &datapath::SplitView::id);
  if (found == maps.splits.end() || found->key != datapath::split_key(split.name)) {
    check.differences.push_back(fmt::format("{} leads to another split than {}", place, split.name));
    return;
  }
  if (seen.insert(found->id).second) compare_split(split, *found, check);
}

const routing::ServicePlan* find_plan(const routing::Plan& plan, const std::string& service, uint16_t port) {
  for (const auto& candidate : plan.services)
    if (candidate->service == service && candidate->port == port) return candidate.get();
  return nullptr;
}

void expect_absent(const routing::Table& table, const std::string& service, uint16_t port,
                   const datapath::MapsView& maps, KernelCheck& check) {
  const auto& host = table.services.find(service);
  if (!host) return;
  for (const auto& candidate : host->services)
    for (const auto& address : candidate->addresses)
      for (const auto& frontend : maps.frontends)
        if (frontend.address == address && frontend.port == port && (frontend.split != 0 || frontend.proxy_port != 0))
          check.differences.push_back(fmt::format("frontends has {} -> {}, although no rule asks for it",
                                                  weir::to_string(address, port), target_of(frontend)));
}

}  // namespace

KernelCheck check_kernel(const routing::Table& table, const std::string& service, uint16_t port,
                         const datapath::MapsView& maps) {
  KernelCheck check;
  const auto* plan = find_plan(*table.plan, service, port);
  if (plan == nullptr) {
    expect_absent(table, service, port, maps, check);
    return check;
  }
  std::set<uint32_t> seen;
  for (const auto& frontend : plan->frontends) compare_frontend(*plan, frontend, maps, seen, check);
  return check;
}

}  // namespace weir::agent
