#include "routing/rule/method.h"

#include <algorithm>
#include <array>

namespace weir::routing {

bool is_idempotent(std::string_view method) {
  // PROPFIND, REPORT and SEARCH are safe by the IANA method registry.
  static constexpr std::array<std::string_view, 9> kIdempotent = {"GET",   "HEAD",     "PUT",    "DELETE", "OPTIONS",
                                                                  "TRACE", "PROPFIND", "REPORT", "SEARCH"};
  return std::ranges::find(kIdempotent, method) != kIdempotent.end();
}

}  // namespace weir::routing
