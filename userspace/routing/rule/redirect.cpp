#include "routing/rule/redirect.h"

#include "routing/rule/rewrite.h"

namespace weir::routing {
namespace {

/// ":8443", or nothing: where none is asked for, and where it is the scheme's own.
std::string explicit_port(const config::HttpRedirect& redirect, uint16_t dialled, bool tls) {
  using DerivePort = config::HttpRedirect::DerivePort;
  uint16_t port = redirect.port.value_or(0);
  if (!redirect.port && redirect.derive_port == DerivePort::kFromRequestPort) port = dialled;
  const std::string_view scheme =
      redirect.scheme.empty() ? (tls ? "https" : "http") : std::string_view(redirect.scheme);
  if (port == 0 || (port == 80 && scheme == "http") || (port == 443 && scheme == "https")) return {};
  return ":" + std::to_string(port);
}

/// Where the port of an authority begins, with its colon; npos: it has none.
size_t port_at(std::string_view authority) {
  if (!authority.starts_with('[')) return authority.rfind(':');
  const size_t bracket = authority.rfind("]:");
  return bracket == std::string_view::npos ? bracket : bracket + 1;
}

/// The request's Host; without its port where another one is given, or where it was the default of a scheme that
/// changes.
std::string_view kept_host(const RequestView& request, std::string_view new_scheme, bool new_port) {
  const size_t colon = port_at(request.authority);
  if (colon == std::string_view::npos) return request.authority;
  const std::string_view port = request.authority.substr(colon);
  const bool was_default = (request.scheme == "http" && port == ":80") || (request.scheme == "https" && port == ":443");
  return new_port || (new_scheme != request.scheme && was_default) ? request.authority.substr(0, colon)
                                                                   : request.authority;
}

std::string redirected_path(const config::HttpRedirect& redirect, const RequestView& request,
                            const StringMatcher* uri) {
  if (redirect.uri_prefix) return replace_matched_path(request.target, uri, *redirect.uri_prefix);
  if (redirect.uri.empty()) return std::string(request.target);
  if (redirect.uri.find('?') != std::string::npos) return redirect.uri;
  return redirect.uri + std::string(request.target.substr(request.path.size()));
}

}  // namespace

std::string redirect_location(const config::HttpRedirect& redirect, const RequestView& request,
                              const StringMatcher* uri, uint16_t port) {
  const std::string_view scheme = redirect.scheme.empty() ? request.scheme : std::string_view(redirect.scheme);
  const std::string new_port = explicit_port(redirect, port, request.scheme == "https");
  std::string location(scheme);
  location += "://";
  location += redirect.authority.empty() ? kept_host(request, scheme, !new_port.empty()) : redirect.authority;
  location += new_port;
  const std::string path = redirected_path(redirect, request, uri);
  if (!path.starts_with('/')) location += '/';
  return location += path;
}

int redirect_status(const config::HttpRedirect& redirect) {
  switch (redirect.code) {
    case 302:
    case 303:
    case 307:
    case 308:
      return redirect.code;
    default:
      return 301;
  }
}

std::string https_redirect_location(const RequestView& request) {
  std::string location = "https://";
  location += kept_host(request, "https", false);
  return location.append(request.target);
}

}  // namespace weir::routing
