#include "routing/rule/rule.h"

#include <algorithm>

#include "config/labels.h"

namespace weir::routing {
namespace {

bool names(const std::vector<std::string>& gateways, std::string_view where) {
  return std::ranges::find(gateways, where) != gateways.end();
}

bool is_from(const Selector& selector, const Client& client) {
  return config::has_all(client.labels, selector.source_labels) &&
         (selector.source_namespace.empty() || selector.source_namespace == client.namespace_);
}

}  // namespace

bool Selector::holds_for_requests(const Client& client, std::string_view where, uint16_t port_dialled) const {
  if (port && *port != port_dialled) return false;
  return gateways.empty() ? is_from(*this, client) : names(gateways, where);
}

bool Selector::holds_for_connections(const Client& client, std::string_view where, uint16_t port_dialled) const {
  if (port && *port != port_dialled) return false;
  if (!gateways.empty() && !names(gateways, where)) return false;
  return where != kMesh || is_from(*this, client);
}

uint64_t weight_sum(const std::vector<RuleDestination>& destinations) {
  uint64_t sum = 0;
  for (const RuleDestination& destination : destinations) sum += destination.weight;
  return sum;
}

std::string to_text(const RuleDestination& destination) {
  std::string text = destination.host;
  if (destination.port) text += ":" + std::to_string(*destination.port);
  if (!destination.subset.empty()) text += "/" + destination.subset;
  return text;
}

}  // namespace weir::routing
