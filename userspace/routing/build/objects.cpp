#include "routing/build/objects.h"

#include <algorithm>
#include <tuple>

namespace weir::routing {

std::string key_of(std::string_view namespace_, std::string_view name) {
  std::string key;
  key.reserve(namespace_.size() + 1 + name.size());
  key.append(namespace_).append("/").append(name);
  return key;
}

std::string key_of(const config::Metadata& meta) {
  return key_of(meta.namespace_, meta.name);
}

bool precedes(const config::ObjectPtr& a, const config::ObjectPtr& b) {
  const auto rank = [](const config::Metadata& meta) {
    return std::tie(meta.creation_timestamp, meta.name, meta.namespace_, meta.file, meta.at);
  };
  return rank(config::metadata(*a)) < rank(config::metadata(*b));
}

Origin origin_of(const config::Metadata& meta) {
  Origin origin;
  origin.kind = config::to_string(meta.kind);
  origin.namespace_ = meta.namespace_;
  origin.name = meta.name;
  origin.file = meta.file;
  origin.at = meta.at;
  return origin;
}

ExportTo export_to(const std::vector<config::Located<std::string>>& written, std::string_view owner) {
  ExportTo result;
  if (written.empty()) return result;
  result.everyone = false;
  for (const auto& entry : written) {
    if (entry.value == "*") result.everyone = true;
    if (entry.value == "*" || entry.value == "~") continue;
    result.namespaces.emplace_back(entry.value == "." ? owner : std::string_view(entry.value));
  }
  if (result.everyone) result.namespaces.clear();
  std::sort(result.namespaces.begin(), result.namespaces.end());
  return result;
}

config::Diagnostic finding(config::Level level, const char* code, const config::Metadata& meta, config::Position at,
                           std::string message, std::string hint) {
  config::Diagnostic diagnostic;
  diagnostic.level = level;
  diagnostic.code = code;
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  diagnostic.file = meta.file;
  diagnostic.at = at.line == 0 ? meta.at : at;
  diagnostic.object = meta.describe();
  return diagnostic;
}

void ObjectIndex::add(std::string_view key, const config::ObjectPtr& object) {
  auto found = lists_.find(key);
  if (found == lists_.end()) found = lists_.emplace(std::string(key), std::vector<config::ObjectPtr>{}).first;
  auto& list = found->second;
  list.insert(std::upper_bound(list.begin(), list.end(), object, precedes), object);
}

void ObjectIndex::remove(std::string_view key, const config::ObjectPtr& object) {
  const auto found = lists_.find(key);
  if (found == lists_.end()) return;
  std::erase(found->second, object);
  if (found->second.empty()) lists_.erase(found);
}

const std::vector<config::ObjectPtr>& ObjectIndex::get(std::string_view key) const {
  static const std::vector<config::ObjectPtr> kNothing;
  const auto found = lists_.find(key);
  return found == lists_.end() ? kNothing : found->second;
}

config::ObjectPtr ObjectIndex::first(std::string_view key) const {
  const auto& list = get(key);
  return list.empty() ? nullptr : list.front();
}

}  // namespace weir::routing
