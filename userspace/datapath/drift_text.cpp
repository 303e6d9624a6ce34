#include "datapath/drift_text.h"

#include <unordered_map>

namespace weir::datapath {

std::vector<std::string> describe_before(const MapState& state, const Changes& changes) {
  std::vector<std::string> lines;
  std::unordered_map<uint32_t, const MapState::Split*> by_id;
  for (const auto& [key, split] : state.splits) by_id.emplace(split.id, &split);
  const auto describe_split = [&](uint32_t id) {
    const auto known = by_id.find(id);
    lines.push_back("split " + std::to_string(id) + ": was " +
                    (known == by_id.end() ? "not there" : to_text(known->second->value, state.memory.endpoints)));
  };
  const auto describe_frontend = [&](const abi::frontend_key& key) {
    const auto known = state.frontends.find(key);
    lines.push_back("frontend " + to_text(key) + ": was " +
                    (known == state.frontends.end() ? "not there" : to_text(known->second)));
  };
  for (const uint32_t id : changes.split_ids) describe_split(id);
  for (const auto& key : changes.frontend_keys) describe_frontend(key);
  for (const auto& key : changes.gone_frontends) describe_frontend(key);
  for (const uint32_t id : changes.gone_splits) describe_split(id);
  return lines;
}

std::vector<std::string> describe_after(const MapState& state, const Changes& changes) {
  std::vector<std::string> lines;
  for (const auto& split : changes.splits) lines.push_back(", is " + to_text(split, state.memory.endpoints));
  for (const auto& frontend : changes.frontends) lines.push_back(", is " + to_text(frontend));
  lines.resize(lines.size() + changes.gone_frontends.size() + changes.gone_splits.size(), ", is gone");
  return lines;
}

}  // namespace weir::datapath
