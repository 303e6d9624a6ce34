#pragma once
// Just enough HTTP/1.1 text for the test tools: heads with Content-Length, no chunks, no trailers.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::tools {

struct HttpHead {
  size_t length = 0;       // of the head with its empty line
  size_t body_length = 0;  // Content-Length, 0 where there is none
  std::string_view first_line;
  std::string_view fields;  // the lines between the first one and the empty one
  /// The field's value without white space around it; names in any case. Empty: none.
  [[nodiscard]] std::string_view field(std::string_view name) const;
  [[nodiscard]] bool closes() const;
  [[nodiscard]] size_t total() const { return length + body_length; }
};

/// The head at the start of `text`; nothing while it is not complete. Views into `text`.
std::optional<HttpHead> read_head(std::string_view text);

/// The path of a request line without its query: "/productpage".
std::string_view request_path(std::string_view first_line);
/// The status of a response line; 0: not one.
int response_status(std::string_view first_line);

}  // namespace weir::tools
