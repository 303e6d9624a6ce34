#include "proxy/route.h"

namespace weir::proxy {

MatchedRoute find_route(const RouteList& list, const routing::RequestView& request) {
  for (const Route& route : list.routes) {
    if (route.matchers.empty()) return {&route, nullptr};
    for (const auto& matcher : route.matchers) {
      if (matcher->matches(request)) return {&route, matcher->uri()};
    }
  }
  return {};
}

}  // namespace weir::proxy
