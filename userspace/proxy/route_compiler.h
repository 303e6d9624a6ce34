#pragma once
// From the table to route lists: one client's view of one host on one frontend. Pure but for the cursors it takes.

#include <memory>
#include <string>
#include <string_view>

#include "proxy/route.h"
#include "proxy/shared_state.h"
#include "routing/client.h"
#include "routing/view/virtual_host.h"

namespace weir::proxy {

/// What clients of a port speak, as far as its service says.
enum class Speech : uint8_t {
  kHttp1,
  kHttp2,  // HTTP/2 or gRPC: HTTP/1.1 is routed by request, HTTP/2 carried by connection
  kAuto,   // not said: the first bytes tell
  kOther,  // no HTTP: carried by connection
  kTls,    // carried by connection, which the name in its ClientHello tells from others
};

/// What a client dialled, told by the port on which the connection came in.
struct Frontend {
  net::SocketAddress address;
  Speech speech = Speech::kHttp1;
  /// Set: connections from outside, taken in for this ingress gateway; `address.port` is the gateway's own port.
  std::shared_ptr<const routing::Client> gateway = nullptr;
  /// By who is outside the node: the names that it knows the service by are not the cluster's, so the Host decides
  /// nothing.
  bool outside = false;
  auto operator<=>(const Frontend&) const = default;
};

/// What is bound to one port of a gateway. Points into its table.
struct GatewayView {
  routing::GatewayHosts hosts;
  std::vector<routing::AppliedL4Rule> connections;  // of tls[] where `tls`, else of tcp[]
  bool tls = false;
  uint16_t port = 0;  // as the server has it
};
GatewayView view_gateway(const routing::Table& table, const routing::Client& gateway, uint16_t port, bool tls);

class RouteCompiler {
 public:
  /// `shared` outlives the compiler.
  RouteCompiler(std::shared_ptr<const routing::Table> table, SharedState& shared)
      : table_(std::move(table)), shared_(&shared) {}

  /// Which virtual host a request falls under; `authority`: the Host header as sent.
  [[nodiscard]] routing::HostChoice choose(const routing::Client& client, const Frontend& frontend,
                                           std::string_view authority) const;
  /// What decides its requests. Never null.
  [[nodiscard]] std::shared_ptr<const RouteList> compile(const routing::Client& client, const Frontend& frontend,
                                                         const routing::HostChoice& choice) const;
  [[nodiscard]] std::shared_ptr<const RouteList> compile_gateway(const Frontend& frontend, const GatewayView& view,
                                                                 const routing::HostChoice& choice) const;

  /// What gets a connection that does not speak HTTP/1.1. One that speaks HTTP/2 goes where the http rules' last route
  /// sends what no other takes; else by tcp[]. Without a rule: the service. Never null.
  [[nodiscard]] std::shared_ptr<const RouteList> compile_tunnel(const routing::Client& client, const Frontend& frontend,
                                                                bool http2) const;
  /// `rule`: the one that the connection's name or bytes come under; null: nobody gets it. Never null.
  [[nodiscard]] std::shared_ptr<const RouteList> compile_gateway_tunnel(const Frontend& frontend,
                                                                        const GatewayView& view,
                                                                        const routing::AppliedL4Rule* rule) const;

 private:
  struct Question {
    const routing::Client& client;
    std::string scope;  // what a split's name begins with: the host and port
    uint16_t port = 0;  // what rules mean by the dialled one
    routing::PortMeaning meaning = routing::PortMeaning::kOnlyElseDialled;
  };

  [[nodiscard]] std::shared_ptr<RouteList> make_list() const;
  void add_rules(RouteList& list, const Question& question, const std::vector<routing::AppliedHttpRule>& rules) const;
  void add_default(RouteList& list, const Question& question, const routing::Service& service) const;
  void add_connection_rule(RouteList& list, const Question& question, const routing::L4Rule& rule,
                           const char* kind) const;
  [[nodiscard]] bool add_http_fallback(RouteList& list, const Question& question,
                                       const routing::Service& service) const;
  [[nodiscard]] Route compile_route(const Question& question, const routing::HttpRule& rule, RouteList& list) const;
  /// Destinations and the split over them, whose cursor goes by `name`.
  void compile_split(Route& route, const Question& question, const std::vector<routing::RuleDestination>& destinations,
                     const std::string& name, RouteList& list) const;
  void compile_mirrors(Route& route, const Question& question, const routing::HttpRule& rule, RouteList& list) const;
  [[nodiscard]] routing::ResolvedDestination resolve(const Question& question,
                                                     const routing::RuleDestination& destination,
                                                     RouteList& list) const;
  /// Once the name of the route and its split are known.
  void name_stats(Route& route, const Question& question) const;

  std::shared_ptr<const routing::Table> table_;
  SharedState* shared_;
};

}  // namespace weir::proxy
