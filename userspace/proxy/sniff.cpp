#include "proxy/sniff.h"

#include <algorithm>
#include <array>

#include "http/parser.h"

namespace weir::proxy {
namespace {

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::array<std::string_view, 9> kMethods = {"GET ",     "HEAD ",  "POST ",    "PUT ",  "DELETE ",
                                                      "OPTIONS ", "PATCH ", "CONNECT ", "TRACE "};
// Longer ones exist in no registry.
constexpr size_t kMaxMethod = 32;

bool is_method_byte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// "HTTP/" digit "." digit
bool is_version(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() == 8 && text.starts_with("HTTP/") && digit(text[5]) && text[6] == '.' && digit(text[7]);
}

Sniffed sniff_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const size_t target = line.find(' '), version = line.rfind(' ');
  if (target == std::string_view::npos || version <= target + 1) return Sniffed::kOther;
  return is_version(line.substr(version + 1)) ? Sniffed::kHttp1 : Sniffed::kOther;
}

}  // namespace

Sniffed sniff(std::string_view bytes) {
  if (kHttp2Preface.starts_with(bytes.substr(0, kHttp2Preface.size()))) {
    return bytes.size() < kHttp2Preface.size() ? Sniffed::kMore : Sniffed::kHttp2;
  }
  // Empty lines before a request are to be borne (RFC 9112 section 2.2): as many as the parser bears.
  for (unsigned lines = 0; bytes.starts_with("\r\n"); bytes.remove_prefix(2)) {
    if (++lines > http::kMaxBlankLines) return Sniffed::kOther;
  }
  if (bytes.empty() || bytes == "\r") return Sniffed::kMore;
  const size_t end = bytes.find('\n');
  const std::string_view line = bytes.substr(0, end);
  const auto method = static_cast<size_t>(std::find_if_not(line.begin(), line.end(), is_method_byte) - line.begin());
  if (method == 0 || method > kMaxMethod) return Sniffed::kOther;
  if (method < line.size() && line[method] != ' ') return Sniffed::kOther;
  const auto control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\r') || c == 0x7f; };
  if (std::any_of(line.begin(), line.end(), control)) return Sniffed::kOther;
  if (end != std::string_view::npos) return sniff_line(line);
  return line.size() > kMaxSniff ? Sniffed::kOther : Sniffed::kMore;
}

bool begins_like_http(std::string_view bytes) {
  return std::any_of(kMethods.begin(), kMethods.end(), [&](std::string_view method) {
    return bytes.size() >= method.size() ? bytes.starts_with(method) : !bytes.empty() && method.starts_with(bytes);
  });
}

}  // namespace weir::proxy
