#pragma once
// Rules of Gateway API routes, compiled (semantics 2.1, 2.2).

#include <string>
#include <tuple>
#include <vector>

#include "config/diagnostic.h"
#include "config/model.h"
#include "routing/build/route_references.h"
#include "routing/rule/rule.h"

namespace weir::routing {

/// How closely a match fits: the greater, the sooner it is tried (HTTPRouteRule, "matches"; GRPCRouteRule likewise).
/// Regular expressions of paths, which the specification leaves open, come after prefixes, as in Istio.
struct RouteRank {
  enum class Path : uint8_t { kAny, kRegex, kPrefix, kExact };
  Path path = Path::kAny;
  size_t path_size = 0;
  bool method = false;
  size_t headers = 0, query_params = 0;
  auto operator<=>(const RouteRank&) const = default;
};

/// A rule for one of the matches of a route's rule.
struct RankedRule {
  RouteRank rank;
  HttpRule rule;  // with one match
};

/// What the compilers of a route share.
struct RouteContext {
  const config::Metadata& route;
  RouteReferences& references;
  config::Diagnostics& conditions;
  /// The first reference that is not well: reason and message of the condition ResolvedRefs.
  std::string unresolved, message;

  /// Reports a reference that leads nowhere.
  void refuse(config::Position at, const Backend& backend, const char* consequence);
};

/// In the order of the file.
std::vector<RankedRule> compile_http_route(const config::gateway_api::HttpRoute& written, RouteContext& context);
std::vector<RankedRule> compile_grpc_route(const config::gateway_api::GrpcRoute& written, RouteContext& context);
/// Of TCPRoute and TLSRoute, without matches. A rule without backends that may get anything refuses everyone.
std::vector<L4Rule> compile_l4_route(const config::gateway_api::L4RouteBody& written, RouteContext& context);

}  // namespace weir::routing
