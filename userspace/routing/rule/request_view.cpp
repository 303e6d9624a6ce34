#include "routing/rule/request_view.h"

#include <algorithm>

namespace weir::routing {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

const HeaderField* find_header(std::span<const HeaderField> headers, std::string_view name) {
  const auto found =
      std::ranges::find_if(headers, [&](const HeaderField& field) { return equal_ignoring_case(field.name, name); });
  return found == headers.end() ? nullptr : &*found;
}

std::string_view effective_scheme(std::string_view x_forwarded_proto, bool tls) {
  if (equal_ignoring_case(x_forwarded_proto, "https")) return "https";
  if (equal_ignoring_case(x_forwarded_proto, "http")) return "http";
  return tls ? "https" : "http";
}

}  // namespace weir::routing
