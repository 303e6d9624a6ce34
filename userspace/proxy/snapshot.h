#pragma once
// One generation of everything the request path needs. Immutable; a new one is swapped in whole, and requests under way
// end with the one they began with.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/route_compiler.h"
#include "proxy/shared_state.h"
#include "routing/build/table_builder.h"

namespace weir::proxy {

struct Snapshot {
  std::shared_ptr<const routing::Table> table;
  /// By the port on which redirected connections arrive (design section 5).
  std::map<uint16_t, Frontend> frontends;
  /// The same for all snapshots of the process.
  std::shared_ptr<SharedState> shared;
};

/// Connections that come in on `port` were dialled as `address`:`frontend_port`.
struct FrontendPort {
  uint16_t port = 0;
  IpAddress address;
  uint16_t frontend_port = 0;
  bool outside = false;  // by who is outside the node, at another address of the service
};

/// Pure. Of several entries of one port the last holds. Neither pointer is null. `gateways`: what the table was built
/// with; its plan says which ports are theirs, and these hold before `ports`.
std::shared_ptr<const Snapshot> make_snapshot(std::shared_ptr<const routing::Table> table,
                                              std::span<const FrontendPort> ports, std::shared_ptr<SharedState> shared,
                                              std::span<const routing::GatewayIdentity> gateways = {});

/// Route lists of a snapshot as one loop needs them, compiled when first asked for. One thread.
class RouteCache {
 public:
  explicit RouteCache(std::shared_ptr<const Snapshot> snapshot);

  [[nodiscard]] const Snapshot& snapshot() const { return *snapshot_; }
  /// Clients with the same namespace and labels have the same number.
  uint32_t client_class(const IpAddress& address);
  /// `authority` as sent.
  const std::shared_ptr<const RouteList>& find(uint32_t client_class, uint16_t frontend_port, const Frontend& frontend,
                                               std::string_view authority);
  /// Of connections that do not speak HTTP/1.1 (RouteCompiler::compile_tunnel).
  const std::shared_ptr<const RouteList>& find_tunnel(uint32_t client_class, uint16_t frontend_port,
                                                      const Frontend& frontend, bool http2, std::string_view sni = {});

 private:
  // An attacker can send as many hosts as it likes; beyond this the cache begins anew.
  static constexpr size_t kMaxLists = 8192;
  static constexpr size_t kMaxAddresses = 65536;
  struct Key {
    uint32_t client_class;
    uint16_t frontend_port;
    std::string authority;
    bool operator==(const Key&) const = default;
  };
  struct View {
    uint32_t client_class;
    uint16_t frontend_port;
    std::string_view authority;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(const Key& key) const {
      return (*this)(View{key.client_class, key.frontend_port, key.authority});
    }
    size_t operator()(const View& view) const;
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.client_class == b.client_class && a.frontend_port == b.frontend_port && a.authority == b.authority;
    }
  };

  std::shared_ptr<const Snapshot> snapshot_;
  RouteCompiler compiler_;
  std::vector<routing::Client> classes_;
  std::map<std::string, uint32_t> class_numbers_;
  std::unordered_map<IpAddress, uint32_t> addresses_;
  std::unordered_map<Key, std::shared_ptr<const RouteList>, Hash, Equal> lists_;
};

}  // namespace weir::proxy
