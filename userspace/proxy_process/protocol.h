#pragma once
// What agent and proxy say to each other, as values. Each from_json() takes whatever the other end wrote and says what
// is wrong with it. Fields are added, never changed: agent and proxy may be of different builds while one replaces the
// other.
//
//   agent asks      beside it                           proxy answers
//   hello           –                                   hello: Hello
//   start Settings  beat map, log or not, listeners     started {}
//   listeners       –                                   listeners {}, beside it: the listening sockets
//   configure       blob: Configuration                 ready {generation}
//   access_log      log                                 done {}
//   stats           –                                   stats {}, blob: as make_stats() has it
//   drain {ms}      –                                   draining {}; the process ends when its last connection has
//   stop            –                                   stopping {}; at once
//   anything else, or what cannot be done               failed {message}

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "net/loop.h"
#include "net/socket.h"
#include "proxy/options.h"
#include "proxy_process/message.h"
#include "routing/build/table_builder.h"

namespace weir::proxy_process {

/// Raised when a newer end could misunderstand an older one.
inline constexpr uint32_t kProtocol = 2;
inline constexpr size_t kMaxWorkers = 64;
inline constexpr size_t kMaxFiles = 1'000'000;
inline constexpr size_t kMaxGateways = 64;
inline constexpr size_t kMaxNames = 100'000;
inline constexpr size_t kMaxAddressesOfName = 256;

struct Hello {
  uint32_t protocol = kProtocol;
  std::string version, build;
  uint64_t generation = 0;  // of the configuration that requests follow; 0: none yet
  uint64_t uptime_ms = 0;
  uint32_t workers = 0;  // 0: not started
  std::string loop;      // "io_uring", "epoll"; why it is not the better one stands in the log
  bool draining = false;
  std::string settings;  // digest of the Settings it runs with
};
Json to_json(const Hello& hello);
Result<Hello> hello_from_json(const Json& json);

struct Settings {
  size_t workers = 1;
  net::LoopKind loop = net::LoopKind::kAuto;
  bool has_log = false;  // a descriptor for the access log lies beside the message
  std::string node;      // splits have an order of their own on every node
  proxy::Options proxy;
};
Json to_json(const Settings& settings);
Result<Settings> settings_from_json(const Json& json);
/// The same for the same settings, for telling whether a running proxy has them.
std::string digest(const Settings& settings);

/// A port on which redirected connections arrive, and what the client dialled.
struct Port {
  uint16_t port = 0;
  net::SocketAddress frontend;
  bool outside = false;  // from outside the node, at another address of the service
  auto operator<=>(const Port&) const = default;
};

struct ConfigurationFile {
  std::string name;
  std::optional<std::string> objects;  // as config::to_binary() has them; absent: the file has gone
  bool operator==(const ConfigurationFile&) const = default;
};

struct Configuration {
  uint64_t generation = 0;
  bool full = true;  // files that are not named have gone
  bool all_services = false, allow_loopback_endpoints = true, http_by_request = false;
  std::vector<routing::GatewayIdentity> gateways;
  std::string node;  // of which internalTrafficPolicy Local means the endpoints
  std::vector<ConfigurationFile> files;
  std::vector<Port> ports;                // all of them, always
  routing::ResolvedNames resolved_names;  // likewise
};
/// A JSON object, a zero byte, and the files' objects one behind the other.
std::string to_blob(const Configuration& configuration);
Result<Configuration> configuration_from_blob(std::string_view blob);

}  // namespace weir::proxy_process
