#include "config/object_source.h"

#include <algorithm>
#include <set>

#include "config/codes.h"

namespace weir::config {
namespace {

std::string place_of(const Metadata& meta) {
  if (meta.at.line == 0) return meta.file;
  return meta.file + ":" + std::to_string(meta.at.line) + ":" + std::to_string(meta.at.column);
}

}  // namespace

ObjectKey key_of(const Metadata& meta) {
  return {meta.kind, meta.namespace_, meta.name};
}

// ---------------------------------------------------------------- ObjectSource

Delta ObjectSource::set(ParsedFile object) {
  Delta delta;
  const bool refused = !object.rejected.empty();
  const auto& read = refused ? object.rejected : object.objects;
  if (read.empty()) return delta;
  Kept& kept = good_[key_of(metadata(*read.front()))];
  kept.diagnostics = std::move(object.diagnostics);
  kept.refused = refused;
  if (refused) return delta;
  // The same version again, as after a new list, is no change.
  if (kept.object && metadata(*kept.object).fingerprint == metadata(*read.front()).fingerprint) return delta;
  if (kept.object) delta.removed.push_back(kept.object);
  kept.object = read.front();
  delta.added.push_back(kept.object);
  return delta;
}

Delta ObjectSource::remove(const ObjectKey& key) {
  Delta delta;
  const auto found = good_.find(key);
  if (found == good_.end()) return delta;
  if (found->second.object) delta.removed.push_back(std::move(found->second.object));
  good_.erase(found);
  return delta;
}

Delta ObjectSource::retain(Kind kind, const std::vector<ObjectKey>& listed) {
  Delta delta;
  for (auto at = good_.lower_bound({kind, "", ""}); at != good_.end() && at->first.kind == kind;) {
    if (std::binary_search(listed.begin(), listed.end(), at->first)) {
      ++at;
      continue;
    }
    if (at->second.object) delta.removed.push_back(std::move(at->second.object));
    at = good_.erase(at);
  }
  return delta;
}

std::vector<ObjectPtr> ObjectSource::objects() const {
  std::vector<ObjectPtr> all;
  for (const auto& [key, kept] : good_) {
    if (kept.object) all.push_back(kept.object);
  }
  return all;
}

Diagnostics ObjectSource::diagnostics() const {
  Diagnostics all;
  for (const auto& [key, kept] : good_) {
    all.insert(all.end(), kept.diagnostics.begin(), kept.diagnostics.end());
    if (!kept.refused || !kept.object) continue;
    const Metadata& meta = metadata(*kept.object);
    all.push_back({Level::kWarning,
                   code::kLastGood,
                   "goes on as " + meta.file + ": the newer version is refused",
                   "mend it",
                   kept.diagnostics.empty() ? meta.file : kept.diagnostics.front().file,
                   {},
                   meta.describe()});
  }
  return all;
}

// ---------------------------------------------------------------- ObjectSet

ObjectPtr ObjectSet::Place::first() const {
  const auto found = std::find_if(of.begin(), of.end(), [](const ObjectPtr& object) { return object != nullptr; });
  return found == of.end() ? nullptr : *found;
}

Delta ObjectSet::take(Source source, const Delta& delta) {
  std::map<ObjectKey, ObjectPtr> before;
  const auto touch = [&](const ObjectPtr& object) -> ObjectPtr& {
    const ObjectKey key = key_of(metadata(*object));
    Place& place = objects_[key];
    before.try_emplace(key, place.first());
    return place.of[static_cast<size_t>(source)];
  };
  for (const ObjectPtr& object : delta.removed) {
    ObjectPtr& mine = touch(object);
    if (mine == object) mine = nullptr;
  }
  for (const ObjectPtr& object : delta.added) touch(object) = object;
  Delta net;
  net.mesh_changed = delta.mesh_changed;
  for (const auto& [key, old] : before) {
    const auto place = objects_.find(key);
    const ObjectPtr now = place->second.first();
    if (!now) objects_.erase(place);
    if (now == old) continue;
    if (old) net.removed.push_back(old);
    if (now) net.added.push_back(now);
  }
  return net;
}

Diagnostics ObjectSet::shadowed() const {
  Diagnostics all;
  for (const auto& [key, place] : objects_) {
    const ObjectPtr first = place.first();
    for (const ObjectPtr& object : place.of) {
      if (!object || object == first) continue;
      const Metadata& meta = metadata(*object);
      all.push_back({Level::kWarning, code::kShadowed,
                     "is not used: this node's own files have it at " + place_of(metadata(*first)),
                     "remove it from the folder to use the API server's", meta.file, meta.name_at, meta.describe()});
    }
  }
  return all;
}

}  // namespace weir::config
