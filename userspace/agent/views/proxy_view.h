#pragma once
// The proxy as `weir status` shows it. Pure.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/proxy/state.h"
#include "agent/views/state.h"
#include "datapath/maps_view.h"

namespace weir::agent {

/// Services with proxied frontends, by what happens to them without a proxy.
struct ProxiedServices {
  size_t split = 0, refused = 0;
  [[nodiscard]] size_t all() const { return split + refused; }
};
ProxiedServices proxied_services(const routing::Table* table);

/// "null" where no service needs it and none runs. `monotonic_ns`: now, for the age of the beat.
nlohmann::ordered_json proxy_view(const State& state, const datapath::MapsView* maps, uint64_t monotonic_ns);

/// What becomes of a request that the proxy is to carry: {"serves", "pid", "generation", "without": in words}.
nlohmann::ordered_json proxy_outcome(const State& state, const std::string& service, uint16_t port);

/// What is not as it should be, a line each.
std::vector<std::string> proxy_problems(const State& state);

/// "3 services are split by connection over their default route, 1 is refused".
std::string without_proxy_text(const ProxiedServices& services);

}  // namespace weir::agent
