#include "proxy/snapshot.h"

#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "routing/hosts.h"
#include "routing/plan/gateway.h"
#include "routing/view/client_class.h"
#include "routing/view/gateway.h"
#include "routing/view/match_connection.h"

namespace weir::proxy {
namespace {

/// The lists that a snapshot has or makes.
class Lists {
 public:
  explicit Lists(const Snapshot& snapshot) : snapshot_(snapshot), compiler_(snapshot.table, *snapshot.shared) {}

  /// Where the recipe leads to in this snapshot; equal keys come to equal lists.
  std::string key_of(const RouteLists::Recipe& recipe) {
    const GatewayView* gateway = gateway_of(recipe);
    rule_ = nullptr;
    choice_ = {};
    std::string key = routing::class_name(*snapshot_.table, recipe.client);
    key.append(1, '\0')
        .append(std::to_string(recipe.port))
        .append(1, static_cast<char>('a' + static_cast<int>(recipe.kind)));
    if (recipe.kind == RouteLists::Recipe::Kind::kHttp) {
      choice_ = gateway != nullptr ? routing::choose_gateway_host(gateway->hosts, recipe.authority)
                                   : compiler_.choose(recipe.client, recipe.frontend, recipe.authority);
      key.append(1, static_cast<char>('a' + static_cast<int>(choice_.kind))).append(choice_.host).append(1, '\0');
      if (choice_.service != nullptr) key.append(choice_.service->host);
    } else if (gateway != nullptr) {
      const std::string sni = routing::to_lower(recipe.authority);
      rule_ = routing::match_connection(gateway->connections, {std::nullopt, std::nullopt, sni, true});
      if (rule_ != nullptr) key += rule_->rule->origin.place();
    }
    return key;
  }

  /// After key_of() of the same recipe.
  std::shared_ptr<const RouteList> compile(const RouteLists::Recipe& recipe) {
    const GatewayView* gateway = gateway_of(recipe);
    if (recipe.kind == RouteLists::Recipe::Kind::kHttp)
      return gateway != nullptr ? compiler_.compile_gateway(recipe.frontend, *gateway, choice_)
                                : compiler_.compile(recipe.client, recipe.frontend, choice_);
    if (gateway != nullptr) return compiler_.compile_gateway_tunnel(recipe.frontend, *gateway, rule_);
    return compiler_.compile_tunnel(recipe.client, recipe.frontend,
                                    recipe.kind == RouteLists::Recipe::Kind::kHttp2Tunnel);
  }

  /// After key_of(): whether a list of an older snapshot is as good as a new one.
  bool still_holds(const RouteLists::Recipe& recipe, const RouteList& list) {
    if (!list.reads.hold_in(*snapshot_.table)) return false;
    const GatewayView* gateway = gateway_of(recipe);
    if (gateway == nullptr) return true;
    if (recipe.kind != RouteLists::Recipe::Kind::kHttp)
      return (rule_ == nullptr ? list.rule_sets.empty()
                               : !list.rule_sets.empty() && list.rule_sets.front().get() == rule_->set) &&
             list.port == gateway->port;
    const auto host = gateway->hosts.find(choice_.host);
    if (host == gateway->hosts.end()) return list.service.empty();
    return list.gateway_rules == host->second.rules && list.port == host->second.port &&
           host->second.https_redirect == (list.kind == RouteList::Kind::kHttpsRedirect);
  }

 private:
  const GatewayView* gateway_of(const RouteLists::Recipe& recipe) const {
    if (!recipe.frontend.gateway) return nullptr;
    static const GatewayView kNone;
    const auto found = snapshot_.gateways.find(recipe.port);
    return found == snapshot_.gateways.end() ? &kNone : &found->second;
  }

  const Snapshot& snapshot_;
  RouteCompiler compiler_;
  routing::HostChoice choice_;
  const routing::AppliedL4Rule* rule_ = nullptr;
};

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
  for (const routing::ServerOfGateway& server : routing::find_gateway_servers(table, gateway, port.listener)) {
    const std::string& protocol = server.server->protocol;
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
    const Speech speech = gateway_speech(*snapshot.table, *client, port);
    snapshot.frontends[port.port] = {{IpAddress(), port.listener}, speech, client};
    snapshot.gateways[port.port] = view_gateway(*snapshot.table, *client, port.listener, speech == Speech::kTls);
  }
}

/// What was asked for before will be asked for again: it is made ready here, where no request waits for it.
void take_over(const Snapshot& previous, const Snapshot& snapshot) {
  Lists lists(snapshot);
  for (auto& [old_key, kept] : previous.lists->all()) {
    const auto frontend = snapshot.frontends.find(kept.recipe.port);
    if (frontend == snapshot.frontends.end()) continue;
    // Whose gateway it is stays the same; the pointer is the snapshot's own.
    const bool same_gateway = (frontend->second.gateway != nullptr) == (kept.recipe.frontend.gateway != nullptr);
    if (!same_gateway || frontend->second.address != kept.recipe.frontend.address ||
        frontend->second.speech != kept.recipe.frontend.speech ||
        frontend->second.outside != kept.recipe.frontend.outside)
      continue;
    kept.recipe.frontend = frontend->second;
    const std::string key = lists.key_of(kept.recipe);
    if (key != old_key || !lists.still_holds(kept.recipe, *kept.list)) kept.list = lists.compile(kept.recipe);
    snapshot.lists->keep(key, std::move(kept));
  }
}

}  // namespace

std::shared_ptr<const RouteList> RouteLists::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = lists_.find(key);
  return found == lists_.end() ? nullptr : found->second.list;
}

void RouteLists::keep(const std::string& key, Kept kept) {
  const std::lock_guard lock(mutex_);
  if (lists_.size() >= kMaxLists) lists_.clear();
  lists_.insert_or_assign(key, std::move(kept));
}

std::map<std::string, RouteLists::Kept> RouteLists::all() const {
  const std::lock_guard lock(mutex_);
  return lists_;
}

std::shared_ptr<const Snapshot> make_snapshot(std::shared_ptr<const routing::Table> table,
                                              std::span<const FrontendPort> ports, std::shared_ptr<SharedState> shared,
                                              std::span<const routing::GatewayIdentity> gateways,
                                              const Snapshot* previous) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->table = std::move(table);
  snapshot->shared = std::move(shared);
  snapshot->lists = std::make_shared<RouteLists>();
  for (const FrontendPort& port : ports) {
    Frontend& frontend = snapshot->frontends[port.port];
    frontend = frontend_at(*snapshot->table, {port.address, port.frontend_port});
    frontend.outside = port.outside;
  }
  add_gateways(*snapshot, gateways);
  if (previous != nullptr) take_over(*previous, *snapshot);
  return snapshot;
}

RouteCache::RouteCache(std::shared_ptr<const Snapshot> snapshot)
    : snapshot_(std::move(snapshot)), spellings_(kSpellings) {}

uint32_t RouteCache::client_class(const IpAddress& address) {
  const auto known = addresses_.find(address);
  if (known != addresses_.end()) return known->second;
  routing::Client client = routing::client_at(*snapshot_->table, address);
  client.address.reset();  // classes are of many clients
  const auto [entry, added] =
      class_numbers_.emplace(routing::class_name(*snapshot_->table, client), static_cast<uint32_t>(classes_.size()));
  if (added) classes_.push_back(std::move(client));
  if (addresses_.size() >= kMaxAddresses) addresses_.clear();
  addresses_.emplace(address, entry->second);
  return entry->second;
}

std::shared_ptr<const RouteList> RouteCache::get(RouteLists::Recipe recipe) {
  Lists lists(*snapshot_);
  const std::string key = lists.key_of(recipe);
  if (auto list = snapshot_->lists->find(key)) return list;
  auto list = lists.compile(recipe);
  snapshot_->lists->keep(key, {std::move(recipe), list});
  return list;
}

std::shared_ptr<const RouteList> RouteCache::find(uint32_t client_class, uint16_t frontend_port,
                                                  const Frontend& frontend, std::string_view authority) {
  Spelling& place = spellings_[hash64(authority, uint64_t{client_class} << 16 | frontend_port) % kSpellings];
  if (place.list && place.client_class == client_class && place.frontend_port == frontend_port &&
      place.authority == authority)
    return place.list;
  auto list =
      get({RouteLists::Recipe::Kind::kHttp, classes_[client_class], frontend_port, frontend, std::string(authority)});
  if (authority.size() <= kLongestSpelling) place = {client_class, frontend_port, std::string(authority), list};
  return list;
}

std::shared_ptr<const RouteList> RouteCache::find_tunnel(uint32_t client_class, uint16_t frontend_port,
                                                         const Frontend& frontend, bool http2, std::string_view sni) {
  using Kind = RouteLists::Recipe::Kind;
  return get(
      {http2 ? Kind::kHttp2Tunnel : Kind::kTunnel, classes_[client_class], frontend_port, frontend, std::string(sni)});
}

}  // namespace weir::proxy
