#include "routing/view/match_connection.h"

#include <algorithm>

#include "routing/hosts.h"

namespace weir::routing {
namespace {

/// How closely an entry fits: the longer the name or prefix, the closer. Nothing: it does not.
std::optional<size_t> closeness(const config::L4Match& match, const ConnectionFacts& facts) {
  constexpr size_t kExactName = 1000;
  if (match.source_subnet && !(facts.source && match.source_subnet->contains(*facts.source))) return std::nullopt;
  size_t name = 0, prefix = 0;
  bool fits = match.sni_hosts.empty();
  for (const auto& host : match.sni_hosts) {
    const std::string pattern = to_lower(host.value);
    if (facts.sni.empty() || !host_matches(pattern, facts.sni)) continue;
    fits = true;
    name = std::max(name, is_wildcard(pattern) ? pattern.size() : kExactName);
  }
  if (!fits) return std::nullopt;
  fits = match.destination_subnets.empty();
  for (const Cidr& subnet : match.destination_subnets) {
    if (!facts.destination || !subnet.contains(*facts.destination)) continue;
    fits = true;
    prefix = std::max<size_t>(prefix, subnet.prefix + size_t{1});
  }
  if (!fits) return std::nullopt;
  return prefix * 2 * kExactName + name;
}

}  // namespace

const ApplicableL4Route* match_connection(const std::vector<ApplicableL4Route>& routes, const ConnectionFacts& facts) {
  const ApplicableL4Route* best = nullptr;
  size_t best_closeness = 0;
  for (const ApplicableL4Route& route : routes) {
    std::optional<size_t> fit = route.match.empty() ? std::optional<size_t>(0) : std::nullopt;
    for (const L4Match* entry : route.match) fit = std::max(fit, closeness(*entry->config, facts));
    if (fit && (best == nullptr || *fit > best_closeness)) {
      best = &route;
      best_closeness = *fit;
    }
  }
  return best;
}

}  // namespace weir::routing
