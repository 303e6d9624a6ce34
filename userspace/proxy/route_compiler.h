#pragma once
// From the table to route lists: one client's view of one host on one frontend. Pure but for the cursors it takes.

#include <memory>
#include <string_view>

#include "proxy/route.h"
#include "proxy/shared_state.h"
#include "routing/client.h"
#include "routing/resolve.h"

namespace weir::proxy {

/// What a client dialled, told by the port on which the connection came in.
struct Frontend {
  net::SocketAddress address;
  auto operator<=>(const Frontend&) const = default;
};

class RouteCompiler {
 public:
  /// `shared` outlives the compiler.
  RouteCompiler(std::shared_ptr<const routing::Table> table, SharedState& shared)
      : table_(std::move(table)), shared_(&shared) {}

  /// `authority`: the Host header as sent. The Host decides, not what was dialled, except on ports of unknown protocol
  /// (istio-facts 10, 41). Never null.
  [[nodiscard]] std::shared_ptr<const RouteList> compile(const routing::Client& client, const Frontend& frontend,
                                                         std::string_view authority) const;

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
  void compile_mirrors(Route& route, const Question& question, const routing::HttpRoute& written) const;
  [[nodiscard]] Destination compile_destination(const routing::ResolvedDestination& resolved) const;
  /// Once the name of the route and its split are known.
  void name_stats(Route& route, const Question& question) const;

  std::shared_ptr<const routing::Table> table_;
  SharedState* shared_;
};

}  // namespace weir::proxy
