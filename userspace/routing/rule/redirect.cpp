#include "routing/rule/redirect.h"

#include "routing/rule/rewrite.h"

namespace weir::routing {
namespace {

bool is_default(uint16_t port, std::string_view scheme) {
  return (port == 80 && scheme == "http") || (port == 443 && scheme == "https");
}

/// 0: none is written.
uint16_t port_of(const Redirect& redirect, const RequestView& request, std::string_view scheme, uint16_t listener) {
  switch (redirect.port_from) {
    case Redirect::Port::kOfHost:
      return 0;
    case Redirect::Port::kExplicit:
      return redirect.port;
    case Redirect::Port::kListener:
      return listener;
    case Redirect::Port::kGatewayApi:
      break;
  }
  if (redirect.port != 0) return redirect.port;
  if (!redirect.scheme.empty()) return scheme == "https" ? 443 : 80;
  return request.authority.empty() ? uint16_t{0} : listener;
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

std::string redirected_path(const Redirect& redirect, const RequestView& request, const StringMatcher* uri) {
  if (redirect.prefix)
    return redirect.by_segment ? replace_path_prefix(request.target, uri, *redirect.prefix, true)
                               : replace_matched_path(request.target, uri, *redirect.prefix);
  return redirect.path ? replace_full_path(request.target, *redirect.path) : std::string(request.target);
}

}  // namespace

Redirect redirect_of(const config::HttpRedirect& written) {
  using DerivePort = config::HttpRedirect::DerivePort;
  Redirect redirect;
  redirect.scheme = written.scheme;
  redirect.authority = written.authority;
  if (!written.uri.empty()) redirect.path = written.uri;
  if (written.uri_prefix && !written.uri_prefix->empty()) redirect.prefix = written.uri_prefix;
  if (written.port) {
    redirect.port_from = Redirect::Port::kExplicit;
    redirect.port = *written.port;
  } else if (written.derive_port == DerivePort::kFromRequestPort) {
    redirect.port_from = Redirect::Port::kListener;
  }
  const bool known = written.code == 302 || written.code == 303 || written.code == 307 || written.code == 308;
  redirect.status = known ? written.code : uint16_t{301};
  return redirect;
}

std::string redirect_location(const Redirect& redirect, const RequestView& request, const StringMatcher* uri,
                              uint16_t listener_port) {
  const std::string_view scheme = redirect.scheme.empty() ? request.scheme : std::string_view(redirect.scheme);
  const uint16_t wanted = port_of(redirect, request, scheme, listener_port);
  const std::string port = wanted == 0 || is_default(wanted, scheme) ? std::string() : ":" + std::to_string(wanted);
  const bool drop_port = !port.empty() || redirect.port_from == Redirect::Port::kGatewayApi;
  std::string location(scheme);
  location += "://";
  location += redirect.authority.empty() ? kept_host(request, scheme, drop_port) : redirect.authority;
  location += port;
  const std::string path = redirected_path(redirect, request, uri);
  if (!path.starts_with('/')) location += '/';
  return location += path;
}

std::string https_redirect_location(const RequestView& request) {
  std::string location = "https://";
  location += kept_host(request, "https", false);
  return location.append(request.target);
}

}  // namespace weir::routing
