#pragma once
// Where a client is sent instead (semantics 1.2 and 2.1, istio-facts 18, 30). Pure; any thread.

#include <cstdint>
#include <optional>
#include <string>

#include "config/model.h"
#include "routing/rule/match.h"
#include "routing/rule/request_view.h"

namespace weir::routing {

struct Redirect {
  std::string scheme, authority;      // empty: the request's. The authority without a port
  std::optional<std::string> path;    // instead of the whole path; the query is kept unless it has its own
  std::optional<std::string> prefix;  // instead of what matched of the path
  bool by_segment = false;            // `prefix` replaces whole segments (Gateway API)

  enum class Port {
    kOfHost,      // the Host's stays, unless another authority or scheme makes it void
    kExplicit,    // `port`
    kListener,    // the port of the listener (FROM_REQUEST_PORT)
    kGatewayApi,  // the scheme's where a scheme is given, else the listener's
  };
  Port port_from = Port::kOfHost;
  uint16_t port = 0;

  uint16_t status = 301;  // 301, 302, 303, 307 or 308
};

/// Codes that nobody redirects by count as 301, an empty prefixRewrite as none, as in Istio.
Redirect redirect_of(const config::HttpRedirect& written);

/// The Location header. `uri` is the condition of the match entry that held, or null; `listener_port`: as rules know
/// it.
std::string redirect_location(const Redirect& redirect, const RequestView& request, const StringMatcher* uri,
                              uint16_t listener_port);

/// What a Gateway server with tls.httpsRedirect answers: the same URL as https, Host as sent (istio-facts 18).
std::string https_redirect_location(const RequestView& request);

}  // namespace weir::routing
