#include <algorithm>

#include "config/read.h"

namespace weir::config {
namespace {

bool names_mesh(const VirtualService& object) {
  return std::any_of(object.gateways.begin(), object.gateways.end(),
                     [](const auto& name) { return name.value == "mesh"; });
}

bool has_sni(const VirtualService& object) {
  return std::any_of(object.tls.begin(), object.tls.end(), [](const L4Route& route) {
    return std::any_of(route.match.begin(), route.match.end(),
                       [](const auto& match) { return !match.sni_hosts.empty(); });
  });
}

void check_hosts(Fields& spec, const VirtualService& object) {
  Context& context = spec.context;
  const bool mesh = object.gateways.empty() || names_mesh(object);
  for (const auto& host : object.hosts) {
    const Wrong wrong = !mesh && has_sni(object) ? check_sni_domain(host.value) : check_wildcard_domain(host.value);
    if (!is_ip(host.value)) context.check(host.at, "host " + quote(host.value), wrong);
    if (host.value == "*" && mesh) {
      context.error(host.at, "wildcard host * is not allowed for virtual services bound to the mesh gateway",
                    "name the hosts, or bind it to a gateway with gateways: [...]");
    }
  }
  for (size_t i = 0; i < object.hosts.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!hosts_overlap(object.hosts[i].value, object.hosts[j].value)) continue;
      context.error(object.hosts[i].at,
                    "duplicate hosts in virtual service: " + object.hosts[j].value + " & " + object.hosts[i].value,
                    "each host may match one entry only");
    }
  }
}

/// A VirtualService without hosts is there for others to delegate to.
void check_delegate(Fields& spec, const VirtualService& object) {
  if (!object.gateways.empty()) {
    spec.context.error(spec.at_key("gateways"),
                       "a virtual service without hosts is a delegate, and that has no gateways",
                       "add hosts, or remove the gateways");
  }
  if (!object.tls.empty() || !object.tcp.empty()) {
    spec.context.error(spec.at_key(object.tls.empty() ? "tcp" : "tls"),
                       "a virtual service without hosts is a delegate, and that has no tls or tcp routes", "add hosts");
  }
}

}  // namespace

void read_virtual_service(Fields& spec, VirtualService& object) {
  object.hosts = spec.texts("hosts");
  object.gateways = read_gateway_names(spec);
  object.export_to = read_export_to(spec, false);
  const bool delegate = object.hosts.empty();
  const bool mesh = names_mesh(object);
  spec.each("http", [&](Fields& route) { object.http.push_back(read_http_route(route, delegate)); });
  spec.each("tls", [&](Fields& route) { object.tls.push_back(read_l4_route(route, true, object.hosts, mesh)); });
  spec.each("tcp", [&](Fields& route) { object.tcp.push_back(read_l4_route(route, false, object.hosts, mesh)); });
  if (is_absent_or_empty(spec, "http") && is_absent_or_empty(spec, "tls") && is_absent_or_empty(spec, "tcp")) {
    spec.context.error(spec.at(), "http, tcp or tls must be provided in virtual service");
  }
  if (delegate) {
    check_delegate(spec, object);
  } else {
    check_hosts(spec, object);
  }
}

}  // namespace weir::config
