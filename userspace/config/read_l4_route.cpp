#include <algorithm>

#include "config/read.h"

namespace weir::config {
namespace {

std::optional<Cidr> parse_subnet(Context& context, const Located<std::string>& text) {
  auto subnet = Cidr::parse(text.value);
  if (!subnet) {
    context.error(text.at, quote(text.value) + " is not an IP address or subnet",
                  "write it as 10.1.0.0/16 or fd00::/64");
  }
  return subnet;
}

void check_sni(Context& context, const Located<std::string>& sni, const std::vector<Located<std::string>>& hosts,
               bool mesh) {
  if (is_ip(sni.value)) {
    context.warn(sni.at, code::kSchemaWarning,
                 "SNI host " + quote(sni.value) + " is an IP address: clients do not send these");
    return;
  }
  const Wrong wrong = mesh ? check_wildcard_domain(sni.value) : check_sni_domain(sni.value);
  context.check(sni.at, "SNI host " + quote(sni.value), wrong);
  if (wrong) return;
  const bool covered =
      std::any_of(hosts.begin(), hosts.end(), [&](const auto& host) { return host_covers(host.value, sni.value); });
  if (covered) return;
  std::string all;
  for (const auto& host : hosts) all += (all.empty() ? "" : ", ") + host.value;
  context.error(
      sni.at,
      "SNI host " + quote(sni.value) + " is not a compatible subset of the virtual service hosts: [" + all + "]",
      "add it to hosts");
}

L4Match read_match(Fields& fields, bool tls, const std::vector<Located<std::string>>& hosts, bool mesh) {
  L4Match match;
  match.at = fields.at();
  for (const auto& text : fields.texts("destinationSubnets")) {
    if (const auto subnet = parse_subnet(fields.context, text)) match.destination_subnets.push_back(*subnet);
  }
  const auto source = fields.located("sourceSubnet");
  if (!source.value.empty()) match.source_subnet = parse_subnet(fields.context, source);
  const auto port = fields.integer("port", 0, 65535);
  if (port && port->value > 0) match.port = Located<uint16_t>{static_cast<uint16_t>(port->value), port->at};
  match.source_labels = read_checked_labels(fields, "sourceLabels");
  match.source_namespace = fields.text("sourceNamespace");
  match.gateways = read_gateway_names(fields);
  if (!tls) return match;
  match.sni_hosts = fields.texts("sniHosts");
  if (match.sni_hosts.empty()) fields.context.error(fields.at(), "TLS match must have at least one SNI host");
  for (const auto& sni : match.sni_hosts) check_sni(fields.context, sni, hosts, mesh);
  return match;
}

}  // namespace

L4Route read_l4_route(Fields& fields, bool tls, const std::vector<Located<std::string>>& hosts, bool mesh) {
  L4Route route;
  route.at = fields.at();
  fields.each(
      "match", [&](Fields& item) { route.match.push_back(read_match(item, tls, hosts, mesh)); },
      Fields::Unknown::kRefuse);
  if (tls && route.match.empty()) fields.context.error(fields.at(), "TLS route must have at least one match condition");
  route.route = read_destinations(fields, false);
  if (route.route.empty() && is_absent_or_empty(fields, "route")) {
    fields.context.error(fields.at(), std::string(tls ? "TLS" : "TCP") + " route must have a route",
                         "route: [{destination: {host: ...}}]");
  }
  return route;
}

}  // namespace weir::config
