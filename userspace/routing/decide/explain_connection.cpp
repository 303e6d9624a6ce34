// Connections that are not looked into: TCP and TLS routes.

#include <algorithm>

#include "routing/decide/explain_internal.h"
#include "routing/hosts.h"

namespace weir::routing::explaining {
namespace {

bool is_tls(Protocol protocol) {
  return protocol == Protocol::kHttps || protocol == Protocol::kTls;
}

/// A ServiceEntry without addresses has its port on every address; of several, SNI tells (istio-facts 40).
const Service* find_addressless(const Inquiry& inquiry, bool tls, const std::string& sni) {
  const Service* found = nullptr;
  inquiry.table.services.for_each([&](std::string_view, const std::shared_ptr<const HostServices>& host) {
    for (const ServicePtr& service : host->services) {
      const ServicePort* port = service->find_port(inquiry.request.port);
      if (found != nullptr || port == nullptr || service->source != Service::Source::kServiceEntry) continue;
      if (!service->addresses.empty() || !service->ranges.empty() || is_http(port->protocol)) continue;
      if (!service->export_to.visible_to(inquiry.client.namespace_)) continue;
      if (is_tls(port->protocol) ? tls && host_matches(service->host, sni) : port->tcp) found = service.get();
    }
  });
  return found;
}

}  // namespace

void take_l4_rule(Inquiry& inquiry, const AppliedL4Rule& rule) {
  inquiry.decision.rule = rule.rule->origin;
  inquiry.step(rule_name(rule.rule->origin) + ": matches, decided per connection");
  set_destinations(inquiry, rule.rule->destinations, Layer::kConnection);
  inquiry.decision.status.reset();  // a refused connection has none
}

void explain_connection(Inquiry& inquiry) {
  const uint16_t port = inquiry.request.port;
  const ConnectionFacts base{std::nullopt, inquiry.client.address, to_lower(inquiry.request.sni.value_or("")), false};
  Dialled dialled = find_dialled(inquiry);
  const ServicePort* service_port = dialled.service ? dialled.service->find_port(port) : nullptr;
  const bool own_address = service_port != nullptr && !dialled.service->addresses.empty();
  if (!own_address) {
    dialled.service = find_addressless(inquiry, inquiry.request.sni.has_value(), base.sni);
    service_port = dialled.service ? dialled.service->find_port(port) : nullptr;
  }
  if (service_port == nullptr) {
    return pass_through(inquiry, "no service has the dialled address on port " + std::to_string(port), false);
  }
  if (is_http(service_port->protocol)) {
    return pass_through(
        inquiry,
        "port " + std::to_string(port) + " of " + dialled.service->host + " speaks HTTP, the connection does not",
        false);
  }
  set_service(inquiry, *dialled.service, port);
  ConnectionFacts facts = base;
  facts.destination = dialled.address;
  const bool tls = is_tls(service_port->protocol);
  const auto rules = find_l4_rules(inquiry.table, inquiry.client, dialled.service->host, port, tls);
  if (const AppliedL4Rule* rule = match_connection(rules, facts)) return take_l4_rule(inquiry, *rule);
  if (!rules.empty() && (tls || own_address)) {
    inquiry.decision.service.clear();
    return pass_through(inquiry, "no rule of " + dialled.service->host + " takes the connection", false);
  }
  inquiry.step("no rule takes the connection: the default route, all endpoints");
  set_default_destination(inquiry, *dialled.service, port);
  inquiry.decision.status.reset();
}

}  // namespace weir::routing::explaining
