#include "routing/build/destination_rules.h"

#include <algorithm>
#include <utility>

#include "config/codes.h"
#include "routing/build/objects.h"

namespace weir::routing {

namespace {

DestinationRule::Subset subset_of(const config::Subset& subset, const config::Metadata& meta) {
  DestinationRule::Subset compiled;
  compiled.config = &subset;
  compiled.origin = origin_of(meta);
  compiled.origin.at = subset.at;
  return compiled;
}

/// Only subsets that are new, and a traffic policy only where there was none: the older rule wins.
void merge_into(DestinationRule& rule, const config::DestinationRule& written, config::Diagnostics& conditions) {
  for (const config::Subset& subset : written.subsets) {
    if (rule.find_subset(subset.name.value)) {
      conditions.push_back(finding(config::Level::kWarning, config::code::kSchemaWarning, written.meta, subset.at,
                                   "subset " + subset.name.value + " is ignored: DestinationRule " + rule.namespace_ +
                                       "/" + rule.name + ", which comes first, has it too"));
      continue;
    }
    rule.subsets.push_back(subset_of(subset, written.meta));
  }
  if (!rule.traffic_policy && written.traffic_policy) rule.traffic_policy = &*written.traffic_policy;
}

}  // namespace

DestinationRules compile_destination_rules(std::string_view namespace_, std::string_view host,
                                           const std::vector<config::ObjectPtr>& objects,
                                           config::Diagnostics& conditions) {
  DestinationRules result;
  result.namespace_ = namespace_;
  result.host = host;
  for (const config::ObjectPtr& object : objects) {
    const auto& written = std::get<config::DestinationRule>(*object);
    ExportTo exported = export_to(written.export_to, written.meta.namespace_);
    if (!written.workload_selector.empty()) exported = {false, {written.meta.namespace_}};
    const auto joins = [&](const DestinationRule& rule) {
      return rule.workload_selector == written.workload_selector && rule.export_to.everyone == exported.everyone &&
             rule.export_to.namespaces == exported.namespaces;
    };
    const auto found = std::find_if(result.rules.begin(), result.rules.end(), joins);
    if (found != result.rules.end()) {
      merge_into(*found, written, conditions);
      found->objects.push_back(object);
      continue;
    }
    DestinationRule rule;
    rule.namespace_ = namespace_;
    rule.name = written.meta.name;
    rule.host = host;
    rule.export_to = std::move(exported);
    rule.workload_selector = written.workload_selector;
    rule.origin = origin_of(written.meta);
    rule.objects.push_back(object);
    merge_into(rule, written, conditions);
    result.rules.push_back(std::move(rule));
  }
  return result;
}

}  // namespace weir::routing
