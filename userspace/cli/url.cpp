#include "cli/url.h"

#include <charconv>

namespace weir::cli {
namespace {

Error bad(std::string_view url, const std::string& why) {
  return Error{"--to \"" + std::string(url) + "\": " + why + "; write for example http://reviews:9080/path"};
}

/// Splits "host:port" into the parts; an absent port leaves it as it was.
Result<void> split_authority(std::string_view url, Target& target) {
  std::string_view rest = target.authority;
  std::string_view port;
  if (rest.starts_with("[")) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return bad(url, "the address has no closing bracket");
    target.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    if (!rest.empty() && rest.front() != ':') return bad(url, "unexpected text after the address");
    if (!rest.empty()) port = rest.substr(1);
    if (!rest.empty() && port.empty()) return bad(url, "the port is missing");
  } else {
    const auto colon = rest.find(':');
    target.host = rest.substr(0, colon);
    if (colon != std::string_view::npos) {
      port = rest.substr(colon + 1);
      if (port.find(':') != std::string_view::npos) return bad(url, "an IPv6 address needs brackets");
      if (port.empty()) return bad(url, "the port is missing");
    }
  }
  if (target.host.empty()) return bad(url, "the host is missing");
  if (port.empty()) return {};
  uint32_t number = 0;
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (problem != std::errc() || end != port.data() + port.size() || number < 1 || number > 65535)
    return bad(url, "\"" + std::string(port) + "\" is not a port (1-65535)");
  target.port = static_cast<uint16_t>(number);
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view url) {
  Target target;
  target.port = 0;
  std::string_view rest = url;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) {
    target.protocol = rest.substr(0, scheme);
    rest.remove_prefix(scheme + 3);
  }
  if (target.protocol != "http" && target.protocol != "https" && target.protocol != "tcp")
    return bad(url, "\"" + target.protocol + "\" is not one of http, https, tcp");
  if (const auto fragment = rest.find('#'); fragment != std::string_view::npos) rest = rest.substr(0, fragment);
  const auto path = rest.find_first_of("/?");
  target.authority = rest.substr(0, path);
  if (path != std::string_view::npos) {
    target.path = rest.substr(path);
    if (target.path.front() == '?') target.path.insert(0, "/");
  }
  if (target.authority.find('@') != std::string::npos) return bad(url, "user names have no meaning here");
  WEIR_TRY(split_authority(url, target));
  if (target.port == 0 && target.protocol == "tcp") return bad(url, "tcp needs a port");
  if (target.port == 0) target.port = target.protocol == "https" ? 443 : 80;
  return target;
}

}  // namespace weir::cli
