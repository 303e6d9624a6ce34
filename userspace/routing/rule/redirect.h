#pragma once
// http[].redirect: where the client is sent (semantics 1.2, istio-facts 18, 30). Pure; any thread.

#include <cstdint>
#include <string>

#include "config/model.h"
#include "routing/rule/match.h"
#include "routing/rule/request_view.h"

namespace weir::routing {

/// The Location header. `uri` is the condition of the match entry that held, or null (prefixRewrite); `port` is the
/// dialled port (derivePort FROM_REQUEST_PORT).
std::string redirect_location(const config::HttpRedirect& redirect, const RequestView& request,
                              const StringMatcher* uri, uint16_t port);

/// 301, 302, 303, 307 or 308; any other code counts as 301, as in Istio.
int redirect_status(const config::HttpRedirect& redirect);

/// What a Gateway server with tls.httpsRedirect answers: the same URL as https, Host as sent (istio-facts 18).
std::string https_redirect_location(const RequestView& request);

}  // namespace weir::routing
