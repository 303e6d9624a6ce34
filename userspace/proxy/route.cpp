#include "proxy/route.h"

#include <algorithm>

namespace weir::proxy {
namespace {

bool holds(const std::vector<Cidr>& ranges, const IpAddress& address) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Cidr& range) { return range.contains(address); });
}

}  // namespace

MatchedRoute find_route(const RouteList& list, const routing::RequestView& request) {
  for (const Route& route : list.routes) {
    if (route.matchers.empty()) return {&route, nullptr};
    for (const auto& matcher : route.matchers) {
      if (matcher->matches(request)) return {&route, matcher->uri()};
    }
  }
  return {};
}

const Route* find_tunnel_route(const RouteList& list, const IpAddress& dialled, const IpAddress& client) {
  const auto takes = [&](const config::L4Match* match) {
    return (match->destination_subnets.empty() || holds(match->destination_subnets, dialled)) &&
           (!match->source_subnet || match->source_subnet->contains(client));
  };
  for (const Route& route : list.routes) {
    if (route.connections.empty() || std::any_of(route.connections.begin(), route.connections.end(), takes))
      return &route;
  }
  return nullptr;
}

}  // namespace weir::proxy
