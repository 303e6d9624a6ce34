#include "routing/plan/gateway.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "config/labels.h"
#include "routing/codes.h"
#include "routing/condition.h"
#include "routing/view/gateway.h"

namespace weir::routing {
namespace {

class GatewayPlanner {
 public:
  GatewayPlanner(const Table& table, GatewayPlan& into) : table_(table), plan_(into) {}

  void add(const GatewayIdentity& identity, size_t number) {
    const auto ports = service_ports(identity);
    for (const ServerOfGateway& server : find_gateway_servers(table_, client_of(identity))) {
      if (const char* why = not_served(server)) {
        report(server, code::kGatewayNotServed, std::string(why) + ": not served on this node");
        continue;
      }
      if (const std::string& protocol = server.server->protocol; protocol == "HTTP2" || protocol == "GRPC")
        report(server, code::kHttp2ByConnection,
               "protocol " + protocol + ": requests of HTTP/1.1 are routed, connections of HTTP/2 are closed");
      const uint16_t written = server.server->port;
      const uint16_t listener = listener_of(ports, written);
      take(written, listener, number, server);
      take(listener, listener, number, server);
      for (const ServicePort* port : ports) {
        if (!leads_to(*port, listener)) continue;
        take(port->number, listener, number, server);
        if (port->node_port != 0) take(port->node_port, listener, number, server);
      }
    }
  }

  void finish() {
    for (auto& [port, entry] : ports_) plan_.ports.push_back(std::move(entry));
  }

 private:
  static const char* not_served(const ServerOfGateway& server) {
    if (server.server->terminates_tls()) return "it ends TLS, which Weir does not do";
    if (server.server->bind.starts_with("unix:")) return "it listens on a unix socket";
    if (server.server->port == 0) return "it has no port";
    return nullptr;
  }

  static bool leads_to(const ServicePort& port, uint16_t listener) {
    return std::ranges::any_of(port.endpoints, [&](const Endpoint& endpoint) { return endpoint.port == listener; });
  }

  /// A server's number is the Service's port, and the pod listens on what that maps to; else it is the pod's.
  static uint16_t listener_of(const std::vector<const ServicePort*>& ports, uint16_t written) {
    for (const ServicePort* port : ports)
      if (port->number == written && !port->endpoints.empty()) return port->endpoints.front().port;
    return written;
  }

  /// Of the Services that mean the gateway's pods.
  std::vector<const ServicePort*> service_ports(const GatewayIdentity& identity) const {
    std::vector<const ServicePort*> found;
    table_.services.for_each([&](std::string_view, const std::shared_ptr<const HostServices>& host) {
      for (const ServicePtr& service : host->services) {
        const bool means_it = !service->selector.empty() && service->namespace_ == identity.namespace_ &&
                              config::has_all(identity.labels, service->selector);
        if (!means_it) continue;
        for (const ServicePort& port : service->ports)
          if (port.tcp) found.push_back(&port);
      }
    });
    return found;
  }

  void take(uint16_t port, uint16_t listener, size_t gateway, const ServerOfGateway& server) {
    const bool http = server.server->is_plain_http();
    auto [entry, fresh] = ports_.try_emplace(
        port, PlanGatewayPort{.port = port, .listener = listener, .gateway = gateway, .http = http, .servers = {}});
    PlanGatewayPort& taken = entry->second;
    if (!fresh && (taken.gateway != gateway || taken.http != http || taken.listener != listener)) {
      report(server, code::kGatewayPortShared,
             "port " + std::to_string(port) + " of this node is already " + taken.servers.front() + "'s, as " +
                 (taken.http ? "HTTP" : "bytes") + ": this server does not get it");
      return;
    }
    const std::string name = server.gateway_name();
    if (std::ranges::find(taken.servers, name) == taken.servers.end()) taken.servers.push_back(name);
  }

  void report(const ServerOfGateway& server, const char* code, std::string message) {
    auto diagnostic = condition(config::Level::kWarning, code, server.gateway->origin,
                                "server on port " + std::to_string(server.server->port) + ": " + std::move(message),
                                server.server->at);
    const auto same = [&](const config::Diagnostic& other) {
      return other.message == diagnostic.message && other.object == diagnostic.object;
    };
    if (std::ranges::none_of(plan_.conditions, same)) plan_.conditions.push_back(std::move(diagnostic));
  }

  const Table& table_;
  GatewayPlan& plan_;
  std::map<uint16_t, PlanGatewayPort> ports_;
};

}  // namespace

Client client_of(const GatewayIdentity& gateway) {
  Client client;
  client.namespace_ = gateway.namespace_;
  client.labels = gateway.labels;
  client.is_gateway = true;
  return client;
}

GatewayPlan plan_gateways(const Table& table, const std::vector<GatewayIdentity>& gateways) {
  GatewayPlan plan;
  GatewayPlanner planner(table, plan);
  for (size_t i = 0; i < gateways.size(); ++i) planner.add(gateways[i], i);
  planner.finish();
  return plan;
}

}  // namespace weir::routing
