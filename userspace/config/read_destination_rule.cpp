#include <map>

#include "config/read.h"

namespace weir::config {
namespace {

Subset read_subset(Fields& fields) {
  Subset subset;
  subset.at = fields.at();
  subset.name = fields.located("name");
  if (fields.missing("name")) {
    fields.context.error(fields.at(), fields.child("name").text() + " is required: routes refer to a subset by it");
  } else if (!subset.name.value.empty() && !is_host_label(subset.name.value)) {
    fields.context.error(subset.name.at, "subset name " + quote(subset.name.value) + " is invalid",
                         "letters, digits and \"-\", at most 63");
  }
  subset.labels = read_checked_labels(fields, "labels");
  fields.map("trafficPolicy", [&](Fields& policy) { subset.traffic_policy = read_traffic_policy(policy); });
  return subset;
}

void read_workload_selector(Fields& spec, DestinationRule& object) {
  if (!spec.map("workloadSelector",
                [&](Fields& selector) { object.workload_selector = read_selector_labels(selector, "matchLabels"); }))
    return;
  for (const auto& item : object.export_to) {
    if (item.value == "." || item.value == object.meta.namespace_) continue;
    spec.context.error(item.at, "a DestinationRule with a workloadSelector cannot be exported to " + quote(item.value),
                       "it holds in its own namespace only: exportTo: [\".\"]");
  }
}

}  // namespace

void read_destination_rule(Fields& spec, DestinationRule& object) {
  object.host = spec.located("host");
  if (spec.missing("host")) {
    spec.context.error(spec.at(), "spec.host is required: the service that the rule is for");
  } else if (!object.host.value.empty()) {
    spec.context.check(object.host.at, "host " + quote(object.host.value), check_wildcard_domain(object.host.value));
  }
  spec.map("trafficPolicy", [&](Fields& policy) { object.traffic_policy = read_traffic_policy(policy); });
  std::map<std::string, Position> names;
  spec.each("subsets", [&](Fields& item) {
    Subset subset = read_subset(item);
    const auto [first, fresh] = names.emplace(subset.name.value, subset.name.at);
    if (!fresh && !subset.name.value.empty()) {
      item.context.error(
          subset.name.at,
          "duplicate subset name " + quote(subset.name.value) + ", first in line " + std::to_string(first->second.line),
          "rename or remove one");
    }
    object.subsets.push_back(std::move(subset));
  });
  object.export_to = read_export_to(spec, false);
  read_workload_selector(spec, object);
}

}  // namespace weir::config
