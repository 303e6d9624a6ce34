#pragma once
// What of a request keeps it to one version or one endpoint: weir.dev/sticky and consistentHash. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/model.h"
#include "http/message.h"

namespace weir::proxy {

struct KeySource {
  enum class Kind : uint8_t { kNone, kClientAddress, kHeader, kCookie, kQuery };
  Kind kind = Kind::kNone;
  std::string name;  // a header's in lower case
};

/// "source-ip", "header:NAME", "cookie:NAME", "query:NAME" (design section 4); anything else: none.
KeySource sticky_key(std::string_view annotation);
KeySource hash_key(const config::LoadBalancer::ConsistentHash& written);

/// The value of a cookie, of several Cookie fields the first that has it; quotes around it are not part of it.
std::optional<std::string_view> find_cookie(const http::HeaderList& headers, std::string_view name);
/// Of the first parameter of that name, not decoded (istio-facts 7).
std::optional<std::string_view> find_query_parameter(std::string_view query, std::string_view name);

/// The same on every node. `client`: its address as text. Nothing: the request has no such key.
std::optional<uint64_t> key_of(const KeySource& source, const http::RequestHead& request, std::string_view client);

}  // namespace weir::proxy
