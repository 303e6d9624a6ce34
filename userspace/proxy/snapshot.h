#pragma once
// One generation of everything the request path needs. Immutable; a new one is swapped in whole, and requests under way
// end with the one they began with.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/route_compiler.h"
#include "proxy/shared_state.h"
#include "routing/build/table_builder.h"

namespace weir::proxy {

/// Route lists of all loops, compiled when first asked for and kept by virtual host: a client that makes up hosts makes
/// none. Any thread.
class RouteLists {
 public:
  /// What a list is for, apart from the table.
  struct Recipe {
    enum class Kind : uint8_t { kHttp, kTunnel, kHttp2Tunnel } kind = Kind::kHttp;
    routing::Client client;
    uint16_t port = 0;  // of the frontend, as in Snapshot::frontends
    Frontend frontend;
    std::string authority;  // one that leads to the list; of a gateway's tunnel the SNI
  };
  struct Kept {
    Recipe recipe;
    std::shared_ptr<const RouteList> list;
  };

  [[nodiscard]] std::shared_ptr<const RouteList> find(const std::string& key) const;
  void keep(const std::string& key, Kept kept);
  /// A copy, by key.
  [[nodiscard]] std::map<std::string, Kept> all() const;

 private:
  /// More than any configuration of sense has; beyond it the lists begin anew.
  static constexpr size_t kMaxLists = 65536;
  mutable std::mutex mutex_;
  std::map<std::string, Kept> lists_;
};

struct Snapshot {
  std::shared_ptr<const routing::Table> table;
  /// By the port on which redirected connections arrive (design section 5).
  std::map<uint16_t, Frontend> frontends;
  /// Of those that are a gateway's.
  std::map<uint16_t, GatewayView> gateways;
  /// The same for all snapshots of the process.
  std::shared_ptr<SharedState> shared;
  std::shared_ptr<RouteLists> lists;  // never null
};

/// Connections that come in on `port` were dialled as `address`:`frontend_port`.
struct FrontendPort {
  uint16_t port = 0;
  IpAddress address;
  uint16_t frontend_port = 0;
  bool outside = false;  // by who is outside the node, at another address of the service
};

/// Of several entries of one port the last holds. `table` and `shared` are not null. `gateways`: what the table was
/// built with; its plan says which ports are theirs, and these hold before `ports`. `previous` may be null: its lists
/// are taken over where nothing that they rest on has changed, and compiled here, off the loops, where something has.
std::shared_ptr<const Snapshot> make_snapshot(std::shared_ptr<const routing::Table> table,
                                              std::span<const FrontendPort> ports, std::shared_ptr<SharedState> shared,
                                              std::span<const routing::GatewayIdentity> gateways = {},
                                              const Snapshot* previous = nullptr);

/// One loop's way to the route lists of a snapshot. One thread.
class RouteCache {
 public:
  explicit RouteCache(std::shared_ptr<const Snapshot> snapshot);

  [[nodiscard]] const Snapshot& snapshot() const { return *snapshot_; }
  /// Clients that no rule can tell apart have the same number.
  uint32_t client_class(const IpAddress& address);
  /// `authority` as sent.
  std::shared_ptr<const RouteList> find(uint32_t client_class, uint16_t frontend_port, const Frontend& frontend,
                                        std::string_view authority);
  /// Of connections that do not speak HTTP/1.1 (RouteCompiler::compile_tunnel).
  std::shared_ptr<const RouteList> find_tunnel(uint32_t client_class, uint16_t frontend_port, const Frontend& frontend,
                                               bool http2, std::string_view sni = {});

 private:
  static constexpr size_t kMaxAddresses = 65536;
  /// Spellings of hosts that were asked for lately; a new one takes an old one's place.
  static constexpr size_t kSpellings = 512;
  static constexpr size_t kLongestSpelling = 256;
  struct Spelling {
    uint32_t client_class = 0;
    uint16_t frontend_port = 0;
    std::string authority;
    std::shared_ptr<const RouteList> list;
  };
  std::shared_ptr<const RouteList> get(RouteLists::Recipe recipe);

  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<routing::Client> classes_;
  std::map<std::string, uint32_t> class_numbers_;
  std::unordered_map<IpAddress, uint32_t> addresses_;
  std::vector<Spelling> spellings_;
};

}  // namespace weir::proxy
