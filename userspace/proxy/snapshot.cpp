#include "proxy/snapshot.h"

#include <algorithm>
#include <optional>

#include "base/hash.h"

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

}  // namespace

std::shared_ptr<const Snapshot> make_snapshot(std::shared_ptr<const routing::Table> table,
                                              std::span<const FrontendPort> ports,
                                              std::shared_ptr<SharedState> shared) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->table = std::move(table);
  snapshot->shared = std::move(shared);
  for (const FrontendPort& port : ports) {
    snapshot->frontends[port.port] = frontend_at(*snapshot->table, {port.address, port.frontend_port});
  }
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
                                                                const Frontend& frontend, bool http2) {
  Key key{client_class, frontend_port, http2 ? "\n2" : "\n"};  // no authority has a line feed
  const auto found = lists_.find(key);
  if (found != lists_.end()) return found->second;
  auto list = compiler_.compile_tunnel(classes_[client_class], frontend, http2);
  return lists_.emplace(std::move(key), std::move(list)).first->second;
}

}  // namespace weir::proxy
