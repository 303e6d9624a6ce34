#pragma once
// Short Gateway API objects, and questions about them.

#include <string>

#include "explain_support.h"

namespace weir::routing {

inline std::string api_object(const std::string& kind, const std::string& name, const std::string& spec,
                              const std::string& namespace_ = "default", const std::string& version = "v1") {
  return "---\napiVersion: gateway.networking.k8s.io/" + version + "\nkind: " + kind + "\nmetadata: {name: " + name +
         ", namespace: " + namespace_ + "}\nspec:\n" + spec;
}

/// Of Service web of its namespace, whose rules are `rules`.
inline std::string mesh_route(const std::string& name, const std::string& rules, const std::string& more = "") {
  return api_object("HTTPRoute", name,
                    "  parentRefs: [{group: '', kind: Service, name: web" + more + "}]\n  rules:\n" + rules);
}

/// Of Gateway default/gw.
inline std::string gateway_route(const std::string& name, const std::string& rules, const std::string& hostnames = "",
                                 const std::string& parent = "name: gw") {
  return api_object("HTTPRoute", name,
                    "  parentRefs: [{" + parent + "}]\n" +
                        (hostnames.empty() ? "" : "  hostnames: [" + hostnames + "]\n") + "  rules:\n" + rules);
}

inline std::string api_gateway(const std::string& listeners) {
  return api_object("Gateway", "gw", "  gatewayClassName: weir\n  listeners:\n" + listeners);
}

inline Client gateway_pod() {
  Client client = pod_of("default", {{"gateway.networking.k8s.io/gateway-name", "gw"}});
  client.is_gateway = true;
  return client;
}

/// Services a, b and c of namespace default, web and other.web, without subsets.
inline std::string backends_yaml() {
  return service_yaml("a", "default", "10.96.1.1", {"v1"}) + service_yaml("b", "default", "10.96.1.2", {"v1"}) +
         service_yaml("c", "default", "10.96.1.3", {"v1"}) + service_yaml("web", "default", "10.96.1.4", {"v1"}) +
         service_yaml("far", "other", "10.96.1.5", {"v1"});
}

/// "a", "a:1 b:2", a status where nobody gets it, "closed" without one.
inline std::string answer_of(const Decision& decision) {
  if (decision.redirect) return *decision.redirect;
  std::string text;
  for (const DecisionDestination& destination : decision.destinations) {
    text += (text.empty() ? "" : " ") + destination.host.substr(0, destination.host.find('.'));
    if (decision.destinations.size() > 1) text += ":" + std::to_string(destination.weight);
    if (!destination.exists) text += "!";
  }
  if (decision.status) text = std::to_string(*decision.status);
  return text.empty() ? "closed" : text;
}

inline std::string ask_mesh(const std::string& yaml, const Request& request = get("web"),
                            const Client& client = pod_of("default")) {
  return answer_of(ask(backends_yaml() + yaml, request, client));
}
inline std::string ask_gateway(const std::string& yaml, const std::string& host, const std::string& path = "/",
                               uint16_t port = 80) {
  return answer_of(ask(backends_yaml() + yaml, get(host, path, {}, port), gateway_pod()));
}

/// "  - backendRefs: [{name: a, port: 80}]\n".
inline std::string to(const std::string& backend, const std::string& more = "") {
  return "  - backendRefs: [{name: " + backend + ", port: 80}]\n" + more;
}

}  // namespace weir::routing
