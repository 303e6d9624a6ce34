#include "config/store.h"

#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "config/codes.h"

namespace weir::config {
namespace {

bool same(const MeshConfig& a, const MeshConfig& b) {
  return a.cluster_domain == b.cluster_domain && a.root_namespace == b.root_namespace &&
         a.outbound_traffic_policy == b.outbound_traffic_policy && a.path_normalization == b.path_normalization;
}

/// Of the first file, by name, that has any.
MeshConfig mesh_of(const std::map<std::string, ParsedFile, std::less<>>& files) {
  for (const auto& [name, file] : files) {
    if (file.mesh) return *file.mesh;
  }
  return {};
}

std::string place(const Metadata& meta) {
  return meta.file + ":" + std::to_string(meta.at.line) + ":" + std::to_string(meta.at.column);
}

}  // namespace

Delta Store::set(ParsedFile file) {
  Delta delta;
  ParsedFile& kept = files_[file.name];
  std::unordered_multimap<uint64_t, ObjectPtr> old;
  for (const ObjectPtr& object : kept.objects) old.emplace(metadata(*object).fingerprint, object);
  std::unordered_set<const AnyObject*> stays;
  for (ObjectPtr& object : file.objects) {
    const Metadata& meta = metadata(*object);
    const auto same_text = old.find(meta.fingerprint);
    // Only an object that stands where it stood keeps its pointer: its positions must stay true.
    if (meta.fingerprint != 0 && same_text != old.end() && metadata(*same_text->second).at == meta.at) {
      object = same_text->second;
      stays.insert(object.get());
      old.erase(same_text);
    } else {
      delta.added.push_back(object);
    }
  }
  for (const ObjectPtr& object : kept.objects) {
    if (!stays.contains(object.get())) delta.removed.push_back(object);
  }
  const bool touches_mesh = kept.mesh || file.mesh;
  kept = std::move(file);
  if (touches_mesh) delta.mesh_changed = refresh_mesh();
  return delta;
}

Delta Store::remove(std::string_view file_name) {
  Delta delta;
  const auto place_of_file = files_.find(file_name);
  if (place_of_file == files_.end()) return delta;
  const bool touches_mesh = place_of_file->second.mesh.has_value();
  delta.removed = std::move(place_of_file->second.objects);
  files_.erase(place_of_file);
  if (touches_mesh) delta.mesh_changed = refresh_mesh();
  return delta;
}

bool Store::refresh_mesh() {
  const MeshConfig mesh = mesh_of(files_);
  return !same(std::exchange(mesh_, mesh), mesh);
}

std::vector<ObjectPtr> Store::objects() const {
  std::vector<ObjectPtr> all;
  for (const auto& [name, file] : files_) all.insert(all.end(), file.objects.begin(), file.objects.end());
  return all;
}

std::vector<ObjectPtr> Store::rejected() const {
  std::vector<ObjectPtr> all;
  for (const auto& [name, file] : files_) all.insert(all.end(), file.rejected.begin(), file.rejected.end());
  return all;
}

Diagnostics Store::diagnostics() const {
  Diagnostics all;
  std::map<std::pair<Kind, std::string>, const Metadata*> first;
  const ParsedFile* mesh = nullptr;
  for (const auto& [name, file] : files_) {
    all.insert(all.end(), file.diagnostics.begin(), file.diagnostics.end());
    for (const ObjectPtr& object : file.objects) {
      const Metadata& meta = metadata(*object);
      const auto [entry, fresh] = first.emplace(std::pair(meta.kind, meta.describe()), &meta);
      if (fresh) continue;
      all.push_back({Level::kError, code::kDuplicateObject, "is defined twice, first at " + place(*entry->second),
                     "remove or rename one of the two", meta.file, meta.name_at, meta.describe()});
    }
    if (!file.mesh) continue;
    if (mesh != nullptr) {
      all.push_back({Level::kError,
                     code::kDuplicateObject,
                     "mesh settings are given twice, first in " + mesh->name,
                     "keep one of the two files",
                     file.name,
                     {1, 1},
                     {}});
    }
    mesh = &file;
  }
  return all;
}

}  // namespace weir::config
