#include "http/header_id.h"

#include <array>
#include <cstring>

namespace weir::http {
namespace {

constexpr std::size_t kCount = static_cast<std::size_t>(HeaderId::kCount);

// In the order of HeaderId, which is by length: first_of_length() depends on it.
constexpr std::array<std::string_view, kCount> kNames = {
    "",
    "te",
    "via",
    "age",
    "date",
    "host",
    "etag",
    "vary",
    "allow",
    "origin",
    "cookie",
    "expect",
    "server",
    "accept",
    "trailer",
    "upgrade",
    "referer",
    "location",
    "forwarded",
    "connection",
    "keep-alive",
    "user-agent",
    "set-cookie",
    "retry-after",
    "traceparent",
    "content-type",
    "max-forwards",
    "x-request-id",
    "authorization",
    "cache-control",
    "last-modified",
    "if-none-match",
    "content-length",
    "http2-settings",
    "x-forwarded-for",
    "accept-encoding",
    "accept-language",
    "proxy-connection",
    "x-forwarded-host",
    "content-encoding",
    "x-forwarded-proto",
    "transfer-encoding",
    "proxy-authenticate",
    "proxy-authorization",
};
constexpr std::size_t kLongest = kNames.back().size();

constexpr bool sorted_by_length() {
  for (std::size_t i = 1; i < kCount; ++i) {
    if (kNames[i - 1].size() > kNames[i].size()) return false;
  }
  return true;
}
static_assert(sorted_by_length());

/// [n] .. [n + 1]: the ids whose names have n characters.
constexpr std::array<std::uint8_t, kLongest + 2> make_first_of_length() {
  std::array<std::uint8_t, kLongest + 2> first{};
  for (std::size_t length = 0; length <= kLongest + 1; ++length) {
    std::size_t i = 0;
    while (i < kCount && kNames[i].size() < length) ++i;
    first[length] = static_cast<std::uint8_t>(i);
  }
  return first;
}
constexpr auto kFirstOfLength = make_first_of_length();

}  // namespace

HeaderId header_id(std::string_view lower_name) {
  const std::size_t size = lower_name.size();
  if (size == 0 || size > kLongest) return HeaderId::kOther;
  for (std::size_t i = kFirstOfLength[size]; i < kFirstOfLength[size + 1]; ++i) {
    if (kNames[i][0] == lower_name[0] && std::memcmp(kNames[i].data(), lower_name.data(), size) == 0) {
      return static_cast<HeaderId>(i);
    }
  }
  return HeaderId::kOther;
}

std::string_view header_name(HeaderId id) {
  return kNames[static_cast<std::size_t>(id)];
}

bool is_hop_by_hop(HeaderId id) {
  switch (id) {
    case HeaderId::kConnection:
    case HeaderId::kKeepAlive:
    case HeaderId::kProxyConnection:
    case HeaderId::kTe:
    case HeaderId::kTrailer:
    case HeaderId::kTransferEncoding:
    case HeaderId::kUpgrade:
    case HeaderId::kHttp2Settings:
      return true;
    default:
      return false;
  }
}

bool is_protected(HeaderId id) {
  switch (id) {
    case HeaderId::kHost:
    case HeaderId::kContentLength:
    case HeaderId::kTransferEncoding:
    case HeaderId::kVia:
    case HeaderId::kCookie:
    case HeaderId::kExpect:
    case HeaderId::kForwarded:
    case HeaderId::kTraceparent:
    case HeaderId::kXRequestId:
    case HeaderId::kMaxForwards:
    case HeaderId::kContentType:
    case HeaderId::kAuthorization:
    case HeaderId::kXForwardedFor:
    case HeaderId::kXForwardedHost:
    case HeaderId::kXForwardedProto:
      return true;
    default:
      return false;
  }
}

}  // namespace weir::http
