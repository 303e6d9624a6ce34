#pragma once
// What a request's method says of it. Pure.

#include <string_view>

namespace weir::routing {

/// May be sent twice without harm (RFC 9110 section 9.2.2). As sent: methods are compared with case.
[[nodiscard]] bool is_idempotent(std::string_view method);

}  // namespace weir::routing
