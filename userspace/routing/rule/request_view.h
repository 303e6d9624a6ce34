#pragma once
// One HTTP request as the matchers see it: borrowed text, nothing copied.

#include <span>
#include <string_view>

namespace weir::routing {

/// One header field as received. Names may be in any case.
struct HeaderField {
  std::string_view name, value;
};

/// Borrows everything; valid as long as the request's bytes are.
struct RequestView {
  std::string_view method;
  std::string_view scheme;               // see effective_scheme()
  std::string_view authority;            // the Host header, verbatim
  std::string_view target;               // normalised path, with query (see normalise_target())
  std::string_view path;                 // the part of target before '?'
  std::string_view query;                // the part after '?'
  std::span<const HeaderField> headers;  // in order, without Host

  void set_target(std::string_view value) {
    target = value;
    const size_t mark = value.find('?');
    path = value.substr(0, mark);
    query = mark == std::string_view::npos ? std::string_view{} : value.substr(mark + 1);
  }
};

/// ASCII only, as HTTP names and hosts are.
inline char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
bool equal_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

/// The value of the first field called `name`; null when there is none.
const HeaderField* find_header(std::span<const HeaderField> headers, std::string_view name);

/// What `scheme` matches and redirects see: X-Forwarded-Proto where the client sent http or https, else that of the
/// connection (istio-facts 9). Always in lower case.
std::string_view effective_scheme(std::string_view x_forwarded_proto, bool tls);

}  // namespace weir::routing
