#include "http_text.h"

#include <strings.h>

#include <charconv>

namespace weir::tools {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string_view HttpHead::field(std::string_view name) const {
  for (std::string_view rest = fields; !rest.empty();) {
    const size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 2);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos && same_name(line.substr(0, colon), name)) {
      return trimmed(line.substr(colon + 1));
    }
  }
  return {};
}

bool HttpHead::closes() const {
  return same_name(field("connection"), "close");
}

std::optional<HttpHead> read_head(std::string_view text) {
  const size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  HttpHead head;
  head.length = end + 4;
  const size_t line_end = text.find("\r\n");
  head.first_line = text.substr(0, line_end);
  if (line_end < end) head.fields = text.substr(line_end + 2, end - line_end - 2);
  const std::string_view length = head.field("content-length");
  std::from_chars(length.data(), length.data() + length.size(), head.body_length);
  return head;
}

std::string_view request_path(std::string_view first_line) {
  const size_t start = first_line.find(' ');
  if (start == std::string_view::npos) return {};
  const std::string_view rest = first_line.substr(start + 1);
  return rest.substr(0, rest.find_first_of(" ?"));
}

int response_status(std::string_view first_line) {
  int status = 0;
  if (first_line.size() < 12 || !first_line.starts_with("HTTP/1.")) return 0;
  std::from_chars(first_line.data() + 9, first_line.data() + 12, status);
  return status;
}

}  // namespace weir::tools
