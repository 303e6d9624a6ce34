#include <algorithm>
#include <tuple>

#include "config/codes.h"
#include "routing/codes.h"
#include "routing/condition.h"
#include "routing/hosts.h"
#include "routing/table.h"

namespace weir::routing {

namespace {

/// In the mesh one VirtualService has a host alone; the others' http rules never hold (istio-facts 15).
void find_shadowed(const HostRules& host, config::Diagnostics& into) {
  const RuleSet* first = nullptr;
  for (const RuleSetPtr& rule : host.rules) {
    if (!rule->binds(kMesh) || rule->http.empty() || !rule->export_to.everyone) continue;
    if (!first) {
      first = rule.get();
      continue;
    }
    into.push_back(condition(config::Level::kWarning, config::code::kConflictingMeshHosts, rule->origin,
                             "its http rules for " + host.host + " never hold: VirtualService " + first->namespace_ +
                                 "/" + first->name + ", which comes first by age and name, has the host"));
  }
}

void find_without_service(const Table& table, const HostRules& host, config::Diagnostics& into) {
  if (is_wildcard(host.host) || table.services.find(host.host)) return;
  if (table.wide_services &&
      std::any_of(table.wide_services->begin(), table.wide_services->end(),
                  [&](const ServicePtr& service) { return host_matches(service->host, host.host); }))
    return;
  for (const RuleSetPtr& rule : host.rules)
    if (rule->binds(kMesh))
      into.push_back(
          condition(config::Level::kInfo, code::kHostWithoutService, rule->origin,
                    "no Service or ServiceEntry defines " + host.host +
                        ": connections to it are left alone, and its rules hold for requests on port 80 only"));
}

}  // namespace

config::Diagnostics Table::conditions() const {
  config::Diagnostics all;
  condition_groups.for_each([&](std::string_view, const std::shared_ptr<const config::Diagnostics>& group) {
    all.insert(all.end(), group->begin(), group->end());
  });
  rules.for_each([&](std::string_view, const std::shared_ptr<const HostRules>& host) {
    find_shadowed(*host, all);
    find_without_service(*this, *host, all);
  });
  const auto key = [](const config::Diagnostic& d) { return std::tie(d.file, d.at, d.code, d.object, d.message); };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto same = [&](const auto& a, const auto& b) { return key(a) == key(b); };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  return all;
}

}  // namespace weir::routing
