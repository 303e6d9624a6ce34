// Route lists of connections that do not speak HTTP/1.1.

#include "proxy/destination_compiler.h"
#include "proxy/route_compiler.h"

namespace weir::proxy {

std::shared_ptr<const RouteList> RouteCompiler::compile_tunnel(const routing::Client& client, const Frontend& frontend,
                                                               bool http2, std::string_view sni) const {
  if (frontend.gateway) return compile_gateway_tunnel(frontend, frontend.speech == Speech::kTls, sni);
  auto list = std::make_shared<RouteList>();
  list->table = table_;
  list->kind = RouteList::Kind::kTunnel;
  const uint16_t port = frontend.address.port;
  const routing::Service* service = routing::find_service_by_address(*table_, client, frontend.address.address, port);
  if (service == nullptr) return list;
  list->service = service->host;
  const Question question{client, frontend, service->host + ":" + std::to_string(port)};
  if (http2 && add_http_fallback(*list, question, *service)) return list;
  if (!http2) {
    for (const auto& applicable : routing::find_l4_rules(*table_, client, service->host, port, false)) {
      add_l4_route(*list, question, applicable, "tcp#");
      if (applicable.match.empty()) return list;
    }
  }
  add_default(*list, question, *service);
  return list;
}

void RouteCompiler::add_l4_route(RouteList& list, const Question& question,
                                 const routing::ApplicableL4Route& applicable, const char* kind) const {
  Route route;
  route.origin = applicable.route->origin;
  route.name = kind + std::to_string(route.origin.index);
  for (const routing::L4Match* match : applicable.match) route.connections.push_back(match->config);
  compile_l4_split(route, question, applicable);
  name_stats(route, question);
  list.routes.push_back(std::move(route));
}

void RouteCompiler::compile_l4_split(Route& route, const Question& question,
                                     const routing::ApplicableL4Route& applicable) const {
  const auto& entries = applicable.route->config->route;
  const std::vector<uint64_t> weights = routing::effective_weights(entries);
  std::vector<Share> shares;
  for (size_t index = 0; index < entries.size(); ++index) {
    if (weights[index] == 0) continue;  // never
    const auto resolved = routing::resolve_destination(*table_, question.client, applicable.virtual_service->namespace_,
                                                       entries[index].destination, question.frontend.address.port);
    shares.push_back(share_of(resolved, weights[index]));
    route.destinations.push_back(compile_destination(resolved, question.client, shares.back().endpoints, *shared_));
  }
  const std::string name = question.scope + "/tcp/" + route.origin.namespace_ + "/" + route.origin.name + "#" +
                           std::to_string(route.origin.index);
  auto split = Split::make(std::move(shares), shared_->cursors.get(name));
  if (split) {
    route.split.emplace(std::move(*split));
  } else {
    route.broken = split.error().message;
  }
}

/// False: no rule says where to.
bool RouteCompiler::add_http_fallback(RouteList& list, const Question& question,
                                      const routing::Service& service) const {
  const auto rules = routing::find_http_rules(*table_, question.client, service.host, question.frontend.address.port);
  if (rules.routes.empty() || !rules.routes.back().takes_all) return false;
  Route route = compile_route(question, rules.routes.back());
  if (!route.split) return false;
  route.matchers.clear();
  list.routes.push_back(std::move(route));
  return true;
}

}  // namespace weir::proxy
