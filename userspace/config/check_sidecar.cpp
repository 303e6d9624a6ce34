// Sidecar as Istio's admission has it. Weir does not read it: there is no sidecar whose view it could trim.

#include <set>

#include "config/other_kinds.h"
#include "config/scalars.h"

namespace weir::config {
namespace {

constexpr auto kIgnore = Fields::Unknown::kIgnore;

struct SidecarPort {
  int64_t number = 0;
  std::string protocol;
};

SidecarPort check_port(Fields& port) {
  SidecarPort result;
  const auto number = port.integer("number", 0, UINT32_MAX);
  if (number) result.number = number->value;
  const auto name = port.located("name");
  if (!name.value.empty() && !is_host_label(name.value)) {
    port.context.error(name.at, "port name " + quote(name.value) + " is invalid");
  }
  const auto protocol = port.located("protocol");
  result.protocol = normalize_protocol(protocol.value);
  if (!protocol.value.empty() && result.protocol.empty()) {
    port.context.error(protocol.at, "unsupported protocol " + quote(protocol.value));
  }
  const auto target = port.integer("targetPort", 0, UINT32_MAX);
  if (target && target->value > 0) port.context.error(target->at, "targetPort has no impact on Sidecars");
  return result;
}

void check_range(Fields& listener, int64_t number) {
  if (number >= 1 && number <= 65535) return;
  listener.context.error(listener.at_key("port"), "port number " + std::to_string(number) + " must be 1 to 65535");
}

void check_ip(Fields& listener) {
  const auto bind = listener.located("bind");
  if (!bind.value.empty() && !is_ip(bind.value)) {
    listener.context.error(bind.at, "bind " + quote(bind.value) + " is not an IP address");
  }
}

/// "127.0.0.1:8080", "[::1]:8080", ":8080" or "unix:///path".
Wrong check_default_endpoint(std::string_view text) {
  if (text.starts_with("unix://")) return check_unix_path(text.substr(7));
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return "must be HOST:PORT or unix:///path";
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return "must have brackets around an IPv6 address";
  if (!host.empty() && host != "127.0.0.1" && host != "0.0.0.0" && host != "::1" && host != "::") {
    return "must be at 127.0.0.1, 0.0.0.0, [::1] or [::]";
  }
  const auto port = parse_integer(text.substr(colon + 1)).value_or(0);
  return port >= 1 && port <= 65535 ? Wrong() : Wrong("must end in a port, 1 to 65535");
}

void check_ingress_tls(Fields& tls, const SidecarPort& port) {
  for (const std::string_view key : {"subjectAltNames", "credentialName", "credentialNames", "tlsCertificates"}) {
    const Node* node = tls.find(key);
    if (node != nullptr && !(node->is_scalar() ? node->text.empty() : node->items.empty())) {
      tls.context.error(tls.at_key(key), std::string(key) + " is not supported in a Sidecar's tls");
    }
  }
  if (tls.boolean("httpsRedirect"))
    tls.context.error(tls.at_key("httpsRedirect"), "httpsRedirect is not supported in a Sidecar");
  const std::string mode = tls.text("mode");
  if (mode == "ISTIO_MUTUAL" || mode == "AUTO_PASSTHROUGH") {
    tls.context.error(tls.at_key("mode"), "mode " + mode + " is not supported in a Sidecar");
  }
  if (!is_tls_protocol(port.protocol)) tls.context.error(tls.at(), "tls is for HTTPS and TLS ports only");
  const bool ends = mode == "SIMPLE" || mode == "MUTUAL" || mode == "OPTIONAL_MUTUAL";
  if (ends && (tls.missing("serverCertificate") || tls.missing("privateKey"))) {
    tls.context.error(tls.at(), "mode " + mode + " needs serverCertificate and privateKey");
  }
  if (ends && mode != "SIMPLE" && tls.missing("caCertificates"))
    tls.context.error(tls.at(), "mode " + mode + " needs caCertificates");
  if (mode == "SIMPLE" && !tls.missing("caCrl")) tls.context.error(tls.at_key("caCrl"), "caCrl needs mutual TLS");
}

void check_pool(Fields& fields, std::string_view key) {
  fields.map(
      key,
      [&](Fields& pool) {
        if (pool.find("tcp") == nullptr && pool.find("http") == nullptr) {
          pool.context.error(pool.at(), "connection pool must have at least one field");
        }
      },
      kIgnore);
}

void check_ingress(Fields& ingress, std::set<int64_t>& numbers) {
  SidecarPort port;
  if (!ingress.map(
          "port", [&](Fields& inner) { port = check_port(inner); }, kIgnore)) {
    ingress.context.error(ingress.at(), ingress.child("port").text() + " is required");
    return;
  }
  check_range(ingress, port.number);
  check_ip(ingress);
  if (!numbers.insert(port.number).second) {
    ingress.context.error(ingress.at_key("port"), "ports on IP bound listeners must be unique");
  }
  const auto endpoint = ingress.located("defaultEndpoint");
  if (!endpoint.value.empty()) {
    ingress.context.check(endpoint.at, "defaultEndpoint " + quote(endpoint.value),
                          check_default_endpoint(endpoint.value));
  }
  ingress.map(
      "tls", [&](Fields& tls) { check_ingress_tls(tls, port); }, kIgnore);
  check_pool(ingress, "connectionPool");
}

/// "namespace/host": the namespace may be "*", "." or "~".
Wrong check_egress_host(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return "must be namespace/host";
  const std::string_view space = text.substr(0, slash), host = text.substr(slash + 1);
  if (space != "*" && space != "." && space != "~" && !is_host_label(space)) return "has an invalid namespace";
  if (host == "*") return std::nullopt;
  if (host.find('.') == std::string_view::npos) return "must have a full host name";
  if (host.find('*') != std::string_view::npos && !host.starts_with("*.")) return "has a partial wildcard";
  return check_wildcard_domain(host);
}

void check_egress_port(Fields& egress, const SidecarPort& port, std::set<std::string>& binds) {
  if (port.number != 0) {
    check_range(egress, port.number);
    check_ip(egress);
    if (!binds.insert(std::to_string(port.number)).second) {
      egress.context.error(egress.at_key("port"), "ports on IP bound listeners must be unique");
    }
    return;
  }
  const auto bind = egress.located("bind");
  if (!bind.value.starts_with("unix://")) {
    egress.context.error(egress.at_key("port"), "port 0 needs a bind at unix:///path");
  } else {
    egress.context.check(bind.at, "bind " + quote(bind.value), check_unix_path(bind.value.substr(7)));
    if (!binds.insert(bind.value).second) egress.context.error(bind.at, "unix domain socket values must be unique");
  }
  const std::string mode = egress.text("captureMode");
  if (mode != "" && mode != "DEFAULT" && mode != "NONE") {
    egress.context.error(egress.at_key("captureMode"), "captureMode must be DEFAULT or NONE for unix domain sockets");
  }
}

void check_egress(Fields& egress, bool last, std::set<std::string>& binds) {
  SidecarPort port;
  if (egress.map(
          "port", [&](Fields& inner) { port = check_port(inner); }, kIgnore)) {
    check_egress_port(egress, port, binds);
  } else if (!last) {
    egress.context.error(egress.at(), "the egress listener without port must be the last one");
  }
  const auto hosts = egress.texts("hosts");
  if (hosts.empty()) egress.context.error(egress.at(), "egress listener must contain at least one host");
  for (const auto& host : hosts)
    egress.context.check(host.at, "host " + quote(host.value), check_egress_host(host.value));
}

void check_outbound(Fields& policy) {
  const std::string mode = policy.text("mode");
  policy.map(
      "egressProxy",
      [&](Fields& proxy) {
        if (mode != "ALLOW_ANY") proxy.context.error(proxy.at(), "egressProxy needs mode ALLOW_ANY");
        if (proxy.find("port") == nullptr) proxy.context.error(proxy.at(), proxy.child("port").text() + " is required");
        const auto host = proxy.located("host");
        proxy.context.check(host.at.line > 0 ? host.at : proxy.at(), "host " + quote(host.value),
                            check_fqdn(host.value));
      },
      kIgnore);
}

}  // namespace

void check_sidecar(Fields& spec) {
  const bool nothing = is_absent_or_empty(spec, "egress") && is_absent_or_empty(spec, "ingress") &&
                       spec.find("outboundTrafficPolicy") == nullptr && spec.find("inboundConnectionPool") == nullptr;
  if (nothing)
    return spec.context.error(spec.at(),
                              "a Sidecar needs ingress, egress, outboundTrafficPolicy or inboundConnectionPool");
  spec.map(
      "workloadSelector", [](Fields& selector) { read_selector_labels(selector, "labels"); }, kIgnore);
  std::set<int64_t> numbers;
  spec.each(
      "ingress", [&](Fields& ingress) { check_ingress(ingress, numbers); }, kIgnore);
  check_pool(spec, "inboundConnectionPool");
  std::set<std::string> binds;
  size_t left = spec.list("egress").size();
  spec.each(
      "egress", [&](Fields& egress) { check_egress(egress, --left == 0, binds); }, kIgnore);
  spec.map("outboundTrafficPolicy", check_outbound, kIgnore);
}

}  // namespace weir::config
