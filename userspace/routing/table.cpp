#include "routing/table.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "routing/hosts.h"

namespace weir::routing {

std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kAuto:
      return "auto";
    case Protocol::kHttp:
      return "http";
    case Protocol::kHttp2:
      return "http2";
    case Protocol::kGrpc:
      return "grpc";
    case Protocol::kHttps:
      return "https";
    case Protocol::kTls:
      return "tls";
    case Protocol::kTcp:
      return "tcp";
    case Protocol::kUdp:
      return "udp";
  }
  return "auto";
}

bool is_http(Protocol protocol) {
  return protocol == Protocol::kHttp || protocol == Protocol::kHttp2 || protocol == Protocol::kGrpc;
}

namespace {

struct NamedProtocol {
  std::string_view name;
  Protocol protocol;
};
// istio pkg/config/protocol Parse; the last three are Kubernetes' standard appProtocols.
constexpr auto kNamedProtocols = std::to_array<NamedProtocol>({
    {"http", Protocol::kHttp},
    {"http2", Protocol::kHttp2},
    {"grpc", Protocol::kGrpc},
    {"grpc-web", Protocol::kGrpc},
    {"https", Protocol::kHttps},
    {"tls", Protocol::kTls},
    {"tcp", Protocol::kTcp},
    {"udp", Protocol::kUdp},
    {"mongo", Protocol::kTcp},
    {"redis", Protocol::kTcp},
    {"mysql", Protocol::kTcp},
    {"hbone", Protocol::kTcp},
    {"kubernetes.io/h2c", Protocol::kHttp2},
    {"kubernetes.io/ws", Protocol::kHttp},
    {"kubernetes.io/wss", Protocol::kHttps},
});

const Protocol* named_protocol(std::string_view name) {
  for (const NamedProtocol& entry : kNamedProtocols)
    if (entry.name == name) return &entry.protocol;
  return nullptr;
}

}  // namespace

Protocol protocol_of(std::string_view app_protocol, std::string_view port_name, std::string_view ip_protocol,
                     uint16_t port) {
  if (ip_protocol == "UDP" || ip_protocol == "SCTP") return Protocol::kUdp;
  const std::string name = to_lower(app_protocol.empty() ? port_name : app_protocol);
  if (const Protocol* named = named_protocol(name)) return *named;
  if (name.starts_with("grpc-web")) return Protocol::kGrpc;
  if (const Protocol* named = named_protocol(std::string_view(name).substr(0, name.find('-')))) return *named;
  // Protocols in which the server speaks first cannot be sniffed (istio pilot/pkg/serviceregistry/kube
  // ConvertProtocol).
  if (port == 25 || port == 53 || port == 3306 || port == 27017) return Protocol::kTcp;
  return Protocol::kAuto;
}

bool ExportTo::visible_to(std::string_view client_namespace) const {
  return everyone || (!client_namespace.empty() &&
                      std::find(namespaces.begin(), namespaces.end(), client_namespace) != namespaces.end());
}

bool ExportTo::only_to(std::string_view owner) const {
  return !everyone && namespaces.size() == 1 && namespaces.front() == owner;
}

bool Service::speaks_http(uint16_t number) const {
  const ServicePort* port = find_port(number);
  return resolution != Resolution::kAlias && port != nullptr && is_http(port->protocol);
}

const ServicePort* Service::find_port(uint16_t number) const {
  for (const ServicePort& port : ports)
    if (port.number == number) return &port;
  return nullptr;
}

bool RuleSet::binds(std::string_view gateway) const {
  return std::find(gateways.begin(), gateways.end(), gateway) != gateways.end();
}

bool GatewayServer::is_plain_http() const {
  return protocol == "HTTP" || protocol == "HTTP2" || protocol == "GRPC" || protocol == "GRPC-WEB";
}

bool older(const RuleSet& a, const RuleSet& b) {
  // A route of a VirtualService's name comes after it; one that hangs on several places has a set for each.
  return std::tie(a.creation, a.name, a.namespace_, a.first_at_home, a.gateways, a.hosts) <
         std::tie(b.creation, b.name, b.namespace_, b.first_at_home, b.gateways, b.hosts);
}

const DestinationRule::Subset* DestinationRule::find_subset(std::string_view subset) const {
  for (const Subset& candidate : subsets)
    if (candidate.config->name.value == subset) return &candidate;
  return nullptr;
}

std::vector<ServicePtr> Table::all_services() const {
  std::vector<ServicePtr> all;
  services.for_each([&](std::string_view, const std::shared_ptr<const HostServices>& host) {
    all.insert(all.end(), host->services.begin(), host->services.end());
  });
  std::sort(all.begin(), all.end(), [](const ServicePtr& a, const ServicePtr& b) {
    return std::tie(a->host, a->namespace_) < std::tie(b->host, b->namespace_);
  });
  return all;
}

std::vector<RuleSetPtr> Table::all_rules() const {
  std::vector<RuleSetPtr> all;
  rules.for_each([&](std::string_view, const std::shared_ptr<const HostRules>& host) {
    all.insert(all.end(), host->rules.begin(), host->rules.end());
  });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return older(*a, *b); });
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace weir::routing
