// Route lists of connections that do not speak HTTP/1.1.

#include "proxy/route_compiler.h"

namespace weir::proxy {

std::shared_ptr<const RouteList> RouteCompiler::compile_tunnel(const routing::Client& client, const Frontend& frontend,
                                                               bool http2) const {
  auto list = make_list();
  list->kind = RouteList::Kind::kTunnel;
  const uint16_t port = frontend.address.port;
  list->port = port;
  list->reads.add_address(*table_, frontend.address.address);
  const routing::Service* service = routing::find_service_by_address(*table_, client, frontend.address.address, port);
  if (service == nullptr) return list;
  list->service = service->host;
  list->reads.add_rules(*table_, service->host);
  const Question question{client, service->host + ":" + std::to_string(port), port,
                          routing::PortMeaning::kOnlyElseDialled};
  if (http2 && add_http_fallback(*list, question, *service)) return list;
  if (!http2) {
    list->connections = routing::find_l4_rules(*table_, client, service->host, port, false);
    for (const routing::AppliedL4Rule& applied : list->connections)
      add_connection_rule(*list, question, *applied.rule, "tcp#");
    if (!list->connections.empty() && list->connections.back().match.empty()) return list;
  }
  add_default(*list, question, *service);
  return list;
}

void RouteCompiler::add_connection_rule(RouteList& list, const Question& question, const routing::L4Rule& rule,
                                        const char* kind) const {
  Route route;
  route.origin = rule.origin;
  route.name = kind + std::to_string(route.origin.index);
  const std::string name = question.scope + "/tcp/" + rule.origin.namespace_ + "/" + rule.origin.name + "#" +
                           std::to_string(rule.origin.index);
  compile_split(route, question, rule.destinations, name, list);
  name_stats(route, question);
  list.routes.push_back(std::move(route));
}

/// False: no rule says where to.
bool RouteCompiler::add_http_fallback(RouteList& list, const Question& question,
                                      const routing::Service& service) const {
  const auto rules = routing::find_http_rules(*table_, question.client, service.host, question.port);
  if (rules.rules.empty() || !rules.rules.back().takes_all) return false;
  Question http = question;
  http.meaning = routing::http_port_meaning(question.client);
  Route route = compile_route(http, *rules.rules.back().rule, list);
  if (!route.split) return false;
  list.routes.push_back(std::move(route));
  return true;
}

}  // namespace weir::proxy
