#include "proxy/snapshot.h"

#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "routing/plan/gateway.h"
#include "routing/view/resolve_gateway.h"

namespace weir::proxy {
namespace {

/// What rules can tell clients apart by.
std::string identity(const routing::Client& client) {
  std::string text = client.namespace_;
  for (const auto& [name, value] : client.labels) text.append(1, '\0').append(name).append(1, '=').append(value);
  return text;
}

Speech speech_of(routing::Protocol protocol) {
  switch (protocol) {
    case routing::Protocol::kHttp:
      return Speech::kHttp1;
    case routing::Protocol::kHttp2:
    case routing::Protocol::kGrpc:
      return Speech::kHttp2;
    case routing::Protocol::kAuto:
      return Speech::kAuto;
    default:
      return Speech::kOther;
  }
}

/// Of several services of one address and port any that speaks HTTP decides: the Host header tells them apart.
Frontend frontend_at(const routing::Table& table, const net::SocketAddress& address) {
  Frontend frontend{address, Speech::kHttp1};
  const auto& services = table.services_at.find(address.address.to_string());
  if (!services) return frontend;
  std::optional<Speech> speech;
  for (const routing::ServicePtr& service : services->services) {
    const routing::ServicePort* port = service->find_port(address.port);
    if (port != nullptr) speech = std::min(speech.value_or(Speech::kOther), speech_of(port->protocol));
  }
  frontend.speech = speech.value_or(Speech::kHttp1);
  return frontend;
}

/// A port of which no server is HTTP is TLS, where one server says so, or bytes.
Speech gateway_speech(const routing::Table& table, const routing::Client& gateway,
                      const routing::PlanGatewayPort& port) {
  if (port.http) return Speech::kHttp1;
  for (const routing::GatewayServer& server : routing::find_gateway_servers(table, gateway, port.listener)) {
    const std::string& protocol = server.config->protocol;
    if (protocol == "TLS" || protocol == "HTTPS") return Speech::kTls;
  }
  return Speech::kOther;
}

void add_gateways(Snapshot& snapshot, std::span<const routing::GatewayIdentity> gateways) {
  std::vector<std::shared_ptr<const routing::Client>> clients;
  for (const routing::GatewayIdentity& gateway : gateways)
    clients.push_back(std::make_shared<const routing::Client>(routing::client_of(gateway)));
  for (const routing::PlanGatewayPort& port : snapshot.table->plan->gateway_ports) {
    if (port.gateway >= clients.size()) continue;
    const auto& client = clients[port.gateway];
    snapshot.frontends[port.port] = {
        {IpAddress(), port.listener}, gateway_speech(*snapshot.table, *client, port), client};
  }
}

}  // namespace

std::shared_ptr<const Snapshot> make_snapshot(std::shared_ptr<const routing::Table> table,
                                              std::span<const FrontendPort> ports, std::shared_ptr<SharedState> shared,
                                              std::span<const routing::GatewayIdentity> gateways) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->table = std::move(table);
  snapshot->shared = std::move(shared);
  for (const FrontendPort& port : ports) {
    Frontend& frontend = snapshot->frontends[port.port];
    frontend = frontend_at(*snapshot->table, {port.address, port.frontend_port});
    frontend.outside = port.outside;
  }
  add_gateways(*snapshot, gateways);
  return snapshot;
}

RouteCache::RouteCache(std::shared_ptr<const Snapshot> snapshot)
    : snapshot_(std::move(snapshot)), compiler_(snapshot_->table, *snapshot_->shared) {}

size_t RouteCache::Hash::operator()(const View& view) const {
  return hash64(view.authority, uint64_t{view.client_class} << 16 | view.frontend_port);
}

uint32_t RouteCache::client_class(const IpAddress& address) {
  const auto known = addresses_.find(address);
  if (known != addresses_.end()) return known->second;
  routing::Client client = routing::client_at(*snapshot_->table, address);
  client.address.reset();  // classes are of many clients
  const auto [entry, added] = class_numbers_.emplace(identity(client), static_cast<uint32_t>(classes_.size()));
  if (added) classes_.push_back(std::move(client));
  if (addresses_.size() >= kMaxAddresses) addresses_.clear();
  addresses_.emplace(address, entry->second);
  return entry->second;
}

const std::shared_ptr<const RouteList>& RouteCache::find(uint32_t client_class, uint16_t frontend_port,
                                                         const Frontend& frontend, std::string_view authority) {
  const auto found = lists_.find(View{client_class, frontend_port, authority});
  if (found != lists_.end()) return found->second;
  if (lists_.size() >= kMaxLists) lists_.clear();
  Key key{client_class, frontend_port, std::string(authority)};
  return lists_.emplace(std::move(key), compiler_.compile(classes_[client_class], frontend, authority)).first->second;
}

const std::shared_ptr<const RouteList>& RouteCache::find_tunnel(uint32_t client_class, uint16_t frontend_port,
                                                                const Frontend& frontend, bool http2,
                                                                std::string_view sni) {
  Key key{client_class, frontend_port, http2 ? "\n2" : "\n"};  // no authority has a line feed
  key.authority += sni;
  const auto found = lists_.find(key);
  if (found != lists_.end()) return found->second;
  if (lists_.size() >= kMaxLists) lists_.clear();
  auto list = compiler_.compile_tunnel(classes_[client_class], frontend, http2, sni);
  return lists_.emplace(std::move(key), std::move(list)).first->second;
}

}  // namespace weir::proxy
