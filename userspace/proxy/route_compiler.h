#pragma once
// From the table to route lists: one client's view of one host on one frontend. Pure but for the cursors it takes.

#include <memory>
#include <string_view>

#include "proxy/route.h"
#include "proxy/shared_state.h"
#include "routing/client.h"
#include "routing/view/resolve.h"

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

class RouteCompiler {
 public:
  /// `shared` outlives the compiler.
  RouteCompiler(std::shared_ptr<const routing::Table> table, SharedState& shared)
      : table_(std::move(table)), shared_(&shared) {}

  /// `authority`: the Host header as sent. The Host decides, not what was dialled, except on ports of unknown protocol
  /// (istio-facts 10, 41) and from outside. Never null.
  [[nodiscard]] std::shared_ptr<const RouteList> compile(const routing::Client& client, const Frontend& frontend,
                                                         std::string_view authority) const;

  /// What gets a connection that does not speak HTTP/1.1. One that speaks HTTP/2 goes where the http rules' last route
  /// sends what no other takes; else by tcp[]. Without a rule: the service. At a gateway by tcp[], or by tls[] and
  /// `sni` where the port speaks TLS; without a rule nobody. Never null.
  [[nodiscard]] std::shared_ptr<const RouteList> compile_tunnel(const routing::Client& client, const Frontend& frontend,
                                                                bool http2, std::string_view sni = {}) const;

 private:
  struct Question {
    const routing::Client& client;
    const Frontend& frontend;
    std::string scope;  // what a split's name begins with: the host and port
  };

  void add_rules(RouteList& list, const Question& question, const routing::HttpRules& rules) const;
  void add_default(RouteList& list, const Question& question, const routing::Service& service) const;
  void compile_for_service(RouteList& list, const Question& question, const routing::Service& service) const;
  [[nodiscard]] Route compile_route(const Question& question, const routing::ApplicableHttpRoute& applicable) const;
  void compile_split(Route& route, const Question& question, const routing::HttpRoute& written) const;
  void compile_l4_split(Route& route, const Question& question, const routing::ApplicableL4Route& applicable) const;
  [[nodiscard]] bool add_http_fallback(RouteList& list, const Question& question,
                                       const routing::Service& service) const;
  // gateway_compiler.cpp
  [[nodiscard]] std::shared_ptr<const RouteList> compile_gateway(const Frontend& frontend,
                                                                 std::string_view authority) const;
  [[nodiscard]] std::shared_ptr<const RouteList> compile_gateway_tunnel(const Frontend& frontend, bool tls,
                                                                        std::string_view sni) const;
  [[nodiscard]] routing::ResolvedDestination resolve(const Question& question, std::string_view namespace_,
                                                     const config::Destination& destination) const;
  void add_l4_route(RouteList& list, const Question& question, const routing::ApplicableL4Route& applicable,
                    const char* kind) const;
  void add_routes(RouteList& list, const Question& question,
                  const std::vector<routing::ApplicableHttpRoute>& routes) const;
  void compile_mirrors(Route& route, const Question& question, const routing::HttpRoute& written) const;
  /// Once the name of the route and its split are known.
  void name_stats(Route& route, const Question& question) const;

  std::shared_ptr<const routing::Table> table_;
  SharedState* shared_;
};

}  // namespace weir::proxy
