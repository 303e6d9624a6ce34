#pragma once
// Istio's Bookinfo in small: productpage calls details and reviews, reviews v2 and v3 call ratings, all through the
// services' addresses. The page names the version of reviews that answered: v1 without stars, v2 black, v3 red.

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server_instance.h"
#include "socket_address.h"

namespace weir::tools {

/// Where each service is dialled.
struct BookinfoServices {
  std::optional<SocketAddress> details, reviews, ratings;
};

/// Calls `next` on every request and names who answered in the header X-Next-Version ("error" and the reason in the
/// body when nobody did): the middle one of two hops.
Handler relay_handler(const std::string& name, const SocketAddress& next);

/// `name`: "reviews-v2": role and version. An error for a role that Bookinfo does not have.
Result<Handler> bookinfo_handler(const std::string& name, const BookinfoServices& services);

}  // namespace weir::tools
