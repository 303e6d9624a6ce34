#pragma once

#include <cstdint>
#include <string_view>

namespace weir::http {

/// RFC 9110 section 15; empty for a code that has none.
std::string_view reason_phrase(std::uint16_t status);

}  // namespace weir::http
