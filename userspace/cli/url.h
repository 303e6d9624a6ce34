#pragma once
// The target of `weir explain --to`.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::cli {

struct Target {
  std::string protocol = "http";  // http, https, tcp
  std::string authority;          // as written: host, host:port, [v6]:port
  std::string host;               // without port and brackets
  uint16_t port = 80;
  std::string path = "/";
};

/// "http://reviews:9080/x", "https://…", "tcp://…:PORT"; without a scheme, http.
Result<Target> parse_target(std::string_view url);

}  // namespace weir::cli
