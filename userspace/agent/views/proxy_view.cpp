#include "agent/views/proxy_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/views/views.h"

namespace weir::agent {
namespace {

Json addresses_json(const NodeAddresses& addresses) {
  Json list = Json::array();
  for (const auto& address : {addresses.v4, addresses.v6})
    if (address) list.push_back(address->to_string());
  return list;
}

Json beat_json(const datapath::MapsView* maps, uint64_t monotonic_ns) {
  if (maps == nullptr || maps->proxy.beat_ns == 0) return nullptr;
  const uint64_t age = monotonic_ns > maps->proxy.beat_ns ? monotonic_ns - maps->proxy.beat_ns : 0;
  return static_cast<double>(age) / 1e9;
}

std::string plural(size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

ProxiedServices proxied_services(const routing::Table* table) {
  ProxiedServices found;
  if (table == nullptr) return found;
  for (const auto& service : table->plan->services) {
    const auto& frontends = service->frontends;
    if (std::ranges::none_of(frontends, &routing::PlanFrontend::proxied)) continue;
    const bool falls_back = !service->refuse_without_proxy &&
                            std::ranges::any_of(frontends, [](const auto& f) { return f.split != routing::kNoSplit; });
    ++(falls_back ? found.split : found.refused);
  }
  return found;
}

std::string without_proxy_text(const ProxiedServices& services) {
  std::string text;
  if (services.split > 0)
    text = plural(services.split, "service") + (services.split == 1
                                                    ? " is split by connection over its default route"
                                                    : " are split by connection over their default routes");
  if (services.refused > 0)
    text += (text.empty() ? "" : ", ") + plural(services.refused, "service") +
            (services.refused == 1 ? " is refused" : " are refused");
  return text;
}

Json proxy_view(const State& state, const datapath::MapsView* maps, uint64_t monotonic_ns) {
  const ProxyState& proxy = state.proxy;
  const auto services = proxied_services(state.table.get());
  const bool ran = proxy.what == ProxyState::What::kUp || proxy.what == ProxyState::What::kDown;
  return {{"state", to_string(proxy.what)},
          {"since", ran ? Json(to_text(proxy.since)) : Json(nullptr)},
          {"why", proxy.why},
          {"trouble", proxy.trouble},
          {"silent", proxy.silent},
          {"pid", proxy.what == ProxyState::What::kUp ? Json(proxy.pid) : Json(nullptr)},
          {"version", proxy.version},
          {"build", proxy.build},
          {"loop", proxy.loop},
          {"workers", proxy.workers},
          {"generation", proxy.generation},
          {"adopted", proxy.adopted},
          {"restarts", proxy.restarts},
          {"replacements", proxy.replacements},
          {"draining", proxy.draining},
          {"beat_age_s", beat_json(maps, monotonic_ns)},
          {"addresses", addresses_json(proxy.addresses)},
          {"loopback_only", is_loopback_only(proxy.addresses)},
          {"ports", {{"first", proxy.first_port}, {"count", proxy.port_count}, {"used", proxy.ports}}},
          {"access_log", proxy.access_log.empty() ? Json(nullptr) : Json(proxy.access_log)},
          {"services", services.all()},
          {"without_proxy", without_proxy_text(services)}};
}

Json proxy_outcome(const State& state, const std::string& service, uint16_t port) {
  const bool serves = state.proxy.what == ProxyState::What::kUp && !state.proxy.silent && state.proxy.generation > 0;
  std::string without = "its connections are refused";
  for (const auto& plan : state.table->plan->services)
    if (plan->service == service && plan->port == port && !plan->refuse_without_proxy &&
        std::ranges::any_of(plan->frontends, [](const auto& f) { return f.split != routing::kNoSplit; }))
      without = "its connections are split over the default route, whatever they ask for";
  return {{"serves", serves},
          {"pid", serves ? Json(state.proxy.pid) : Json(nullptr)},
          {"generation", state.proxy.generation},
          {"without", without}};
}

std::vector<std::string> proxy_problems(const State& state) {
  const ProxyState& proxy = state.proxy;
  const auto services = proxied_services(state.table.get());
  std::vector<std::string> lines;
  if (services.all() > 0 && proxy.what == ProxyState::What::kDown)
    lines.push_back(fmt::format("the proxy is down since {}: it {}; meanwhile {}", to_text(proxy.since), proxy.why,
                                without_proxy_text(services)));
  if (services.all() > 0 && proxy.what == ProxyState::What::kUnsupported)
    lines.push_back(
        fmt::format("this kernel sends no connections to a proxy: {}; {}", proxy.why, without_proxy_text(services)));
  if (proxy.silent && services.all() > 0)
    lines.push_back(fmt::format(
        "the kernel sees no sign of life of the proxy (pid {}): it hangs, or it beats into another map than "
        "maps/proxy_beat; meanwhile {}",
        proxy.pid, without_proxy_text(services)));
  if (!proxy.trouble.empty())
    lines.push_back(fmt::format(
        "the proxy (pid {}): {}; until then {}", proxy.pid, proxy.trouble,
        proxy.generation == 0 ? without_proxy_text(services) : fmt::format("generation {} holds", proxy.generation)));
  return lines;
}

}  // namespace weir::agent
