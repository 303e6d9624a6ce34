#include "proxy/route.h"

#include "routing/view/match_connection.h"

namespace weir::proxy {

MatchedRoute find_route(const RouteList& list, const routing::RequestView& request) {
  if (list.kind != RouteList::Kind::kRules)
    return list.routes.empty() ? MatchedRoute{} : MatchedRoute{&list.routes.front(), nullptr};
  const auto taken = list.index.find(request);
  if (!taken) return {};
  return {&list.routes[taken->rule], taken->uri()};
}

const Route* find_tunnel_route(const RouteList& list, const IpAddress& dialled, const IpAddress& client) {
  const auto* rule = routing::match_connection(list.connections, {dialled, client, {}, false});
  if (rule != nullptr) return &list.routes[static_cast<size_t>(rule - list.connections.data())];
  return list.routes.size() > list.connections.size() ? &list.routes.back() : nullptr;
}

}  // namespace weir::proxy
