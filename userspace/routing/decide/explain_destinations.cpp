#include <algorithm>
#include <cstdio>

#include "routing/decide/explain_internal.h"
#include "routing/hosts.h"

namespace weir::routing::explaining {
namespace {

constexpr int kServiceUnavailable = 503;

std::string describe(const DecisionDestination& destination) {
  std::string text = destination.host + ":" + std::to_string(destination.port);
  if (!destination.subset.empty()) text += " subset " + destination.subset;
  return text;
}

/// In the kernel a load balancer of the rule does not hold (plan_policy).
bool sends_to_dialled(const Inquiry& inquiry, const ResolvedDestination& resolved) {
  const bool by_policy = resolved.service != nullptr && !is_for_dialled(resolved);
  if (by_policy && inquiry.decision.path == Path::kKernel) return false;
  return goes_to_dialled(resolved, inquiry.client);
}

/// Of a service with an address of its own, under loadBalancer PASSTHROUGH, that address.
void add_dialled_endpoints(const Inquiry& inquiry, const ResolvedDestination& resolved,
                           DecisionDestination& destination) {
  const Dialled dialled = find_dialled(inquiry);
  const bool of_service = dialled.address && dialled.service != nullptr && !dialled.service->addresses.empty();
  const bool by_policy = !is_for_dialled(resolved);
  if (dialled.address && (by_policy || !of_service)) {
    destination.endpoints.push_back({*dialled.address, inquiry.request.port, 1});
    return;
  }
  if (resolved.service_port == nullptr) return;
  for (const Endpoint& endpoint : resolved.service_port->endpoints) {
    if (endpoint.healthy) destination.endpoints.push_back({endpoint.address, endpoint.port, 1});
  }
}

DecisionDestination make_destination(const Inquiry& inquiry, const ResolvedDestination& resolved, uint64_t weight,
                                     double share) {
  DecisionDestination destination;
  destination.host = resolved.host;
  destination.port = resolved.port;
  destination.subset = resolved.subset;
  destination.weight = weight;
  destination.share = share;
  destination.exists = resolved.exists;
  if (sends_to_dialled(inquiry, resolved)) {
    add_dialled_endpoints(inquiry, resolved, destination);
    return destination;
  }
  for (const Endpoint* endpoint : resolved.endpoints) {
    if (endpoint->healthy) destination.endpoints.push_back({endpoint->address, endpoint->port, endpoint->weight});
  }
  return destination;
}

/// Whether anyone can answer for the destination. Names that DNS has yet to resolve count as able.
bool can_serve(const Inquiry& inquiry, const ResolvedDestination& resolved) {
  if (!resolved.exists) return false;
  if (resolved.has_healthy() || sends_to_dialled(inquiry, resolved)) return true;
  return resolved.service != nullptr && resolved.service->resolution != Service::Resolution::kStatic &&
         resolved.service->resolution != Service::Resolution::kOriginalDestination;
}

bool add(Inquiry& inquiry, const ResolvedDestination& resolved, uint64_t weight, uint64_t sum, Layer layer) {
  const double share = static_cast<double>(weight) / static_cast<double>(sum);
  DecisionDestination destination = make_destination(inquiry, resolved, weight, share);
  std::string text = percent(share) + " to " + describe(destination);
  const bool serves = can_serve(inquiry, resolved);
  if (!serves) {
    text += (layer == Layer::kHttp ? ": " + std::to_string(resolved.refused_status) : ": refused") + ", " +
            resolved.problem;
  } else if (sends_to_dialled(inquiry, resolved)) {
    text += ": the dialled address gets it (headless, resolution NONE, or loadBalancer PASSTHROUGH)";
  } else {
    text += ": " + std::to_string(destination.endpoints.size()) + " of " + std::to_string(resolved.endpoints.size()) +
            " endpoints can get it";
  }
  inquiry.step(std::move(text));
  inquiry.decision.destinations.push_back(std::move(destination));
  return serves;
}

}  // namespace

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g %%", share * 100);
  return text;
}

ResolvedDestination resolve(const Inquiry& inquiry, const RuleDestination& destination, Layer layer) {
  const PortMeaning meaning = layer == Layer::kHttp ? http_port_meaning(inquiry.client) : PortMeaning::kOnlyElseDialled;
  return resolve_destination(inquiry.table, inquiry.client, destination, inquiry.rule_port, meaning);
}

void set_destinations(Inquiry& inquiry, const std::vector<RuleDestination>& destinations, Layer layer) {
  const uint64_t sum = weight_sum(destinations);
  bool any_serves = false;
  std::optional<uint16_t> refused;
  for (const RuleDestination& destination : destinations) {
    if (destination.weight == 0) continue;  // never
    const ResolvedDestination resolved = resolve(inquiry, destination, layer);
    if (add(inquiry, resolved, destination.weight, sum, layer)) {
      any_serves = true;
    } else {
      refused = std::max(refused.value_or(0), resolved.refused_status);
    }
  }
  inquiry.decision.action = Action::kSplit;
  if (!any_serves && inquiry.request.is_http) inquiry.decision.status = refused.value_or(kServiceUnavailable);
}

void set_default_destination(Inquiry& inquiry, const Service& service, uint16_t port) {
  inquiry.decision.action = Action::kDefault;
  const Layer layer = inquiry.request.is_http ? Layer::kHttp : Layer::kConnection;
  const bool serves = add(inquiry, resolve_service(inquiry.table, inquiry.client, service, port), 1, 1, layer);
  if (!serves && inquiry.request.is_http) inquiry.decision.status = kServiceUnavailable;
}

}  // namespace weir::routing::explaining
