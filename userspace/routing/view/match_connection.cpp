#include "routing/view/match_connection.h"

#include <algorithm>

#include "routing/hosts.h"

namespace weir::routing {
namespace {

/// How closely an entry fits: the longer the name or prefix, the closer. Nothing: it does not.
std::optional<size_t> closeness(const L4Match& match, const ConnectionFacts& facts) {
  constexpr size_t kExactName = 1000;
  if (match.source_subnet && !facts.at_gateway && !(facts.source && match.source_subnet->contains(*facts.source)))
    return std::nullopt;
  size_t name = 0, prefix = 0;
  bool fits = match.sni_hosts.empty();
  for (const std::string& pattern : match.sni_hosts) {
    if (facts.sni.empty() || !host_matches(pattern, facts.sni)) continue;
    fits = true;
    name = std::max(name, is_wildcard(pattern) ? pattern.size() : kExactName);
  }
  if (!fits) return std::nullopt;
  if (facts.at_gateway) return name;
  fits = match.destination_subnets.empty();
  for (const Cidr& subnet : match.destination_subnets) {
    if (!facts.destination || !subnet.contains(*facts.destination)) continue;
    fits = true;
    prefix = std::max<size_t>(prefix, subnet.prefix + size_t{1});
  }
  if (!fits) return std::nullopt;
  // Envoy's order of filter chains: destination, name, source.
  constexpr size_t kSources = 130;
  const size_t source = match.source_subnet ? match.source_subnet->prefix + size_t{1} : 0;
  return (prefix * 2 * kExactName + name) * kSources + source;
}

}  // namespace

const AppliedL4Rule* match_connection(const std::vector<AppliedL4Rule>& rules, const ConnectionFacts& facts) {
  const AppliedL4Rule* best = nullptr;
  size_t best_closeness = 0;
  for (const AppliedL4Rule& rule : rules) {
    std::optional<size_t> fit = rule.match.empty() ? std::optional<size_t>(0) : std::nullopt;
    for (const L4Match* entry : rule.match) fit = std::max(fit, closeness(*entry, facts));
    if (fit && (best == nullptr || *fit > best_closeness)) {
      best = &rule;
      best_closeness = *fit;
    }
  }
  return best;
}

}  // namespace weir::routing
