#include "agent/source/config_folder.h"

#include <algorithm>

#include "config/codes.h"

namespace weir::agent {
namespace {

/// A file that could not be read at all, in the form of one that was.
config::ParsedFile unreadable(const std::string& name, const Error& why) {
  config::ParsedFile file;
  file.name = name;
  file.diagnostics.push_back({config::Level::kError,
                              config::code::kUnreadable,
                              "cannot be read: " + why.message,
                              "move it out of the folder, or make it a regular file",
                              name,
                              {},
                              {}});
  return file;
}

}  // namespace

// ---------------------------------------------------------------- NetDelta

bool NetDelta::Side::erase(const config::ObjectPtr& object) {
  const auto found = place.find(object.get());
  if (found == place.end()) return false;
  in_order.erase(found->second);
  place.erase(found);
  return true;
}

void NetDelta::Side::insert(const config::ObjectPtr& object, uint64_t at) {
  in_order.emplace(at, object);
  place.emplace(object.get(), at);
}

std::vector<config::ObjectPtr> NetDelta::Side::take() {
  std::vector<config::ObjectPtr> objects;
  objects.reserve(in_order.size());
  for (auto& [at, object] : in_order) objects.push_back(std::move(object));
  in_order.clear();
  place.clear();
  return objects;
}

void NetDelta::add(config::Delta delta) {
  for (const auto& object : delta.removed)
    if (!added_.erase(object)) removed_.insert(object, next_++);
  for (const auto& object : delta.added)
    if (!removed_.erase(object)) added_.insert(object, next_++);
  mesh_changed_ |= delta.mesh_changed;
}

config::Delta NetDelta::take() {
  config::Delta delta;
  delta.removed = removed_.take();
  delta.added = added_.take();
  delta.mesh_changed = std::exchange(mesh_changed_, false);
  return delta;
}

// ---------------------------------------------------------------- ConfigFolder

Result<void> ConfigFolder::refresh(const FolderChange& change, const BeingWritten& being_written) {
  auto folder = Folder::open(path_);
  if (!folder) return std::move(folder).error();
  if (change.everything && change.listing) {
    compare_all(*folder, *change.listing, being_written);
  } else if (change.everything) {
    const auto entries = folder->list();
    if (!entries) return entries.error();
    compare_all(*folder, *entries, being_written);
  }
  // Events say that these changed even where the stamp does not (two writes within one tick of the clock).
  read(*folder, {change.names.begin(), change.names.end()}, being_written);
  if (cache_) cache_is_old_ |= cache_->size() != known_.size();
  cache_.reset();
  return {};
}

void ConfigFolder::compare_all(const Folder& folder, const std::vector<FolderEntry>& entries,
                               const BeingWritten& being_written) {
  // All three are in order of their names: one walk through each, because this is done often.
  std::vector<std::string> unlike;
  auto listed = entries.begin();
  for (const auto& [name, file] : store_.files()) {
    while (listed != entries.end() && listed->name < name) ++listed;
    if (listed == entries.end() || listed->name != name) unlike.push_back(name);
  }
  auto known = known_.begin();
  for (const auto& entry : entries) {
    while (known != known_.end() && known->first < entry.name) ++known;
    const bool same = known != known_.end() && known->first == entry.name && entry.stamp == known->second.stamp;
    if (!same) unlike.push_back(entry.name);
  }
  // Reading what is not listed removes it, unless it came after the listing.
  read(folder, std::move(unlike), being_written);
}

void ConfigFolder::read(const Folder& folder, std::vector<std::string> names, const BeingWritten& being_written) {
  std::erase_if(names, being_written);
  for (auto& file : read_files(folder, names, cache_ ? &*cache_ : nullptr)) {
    // Somebody began to write while we read: half a file may have been seen.
    if (!being_written(file.name)) take(std::move(file));
  }
}

void ConfigFolder::take(ReadFile read) {
  cache_is_old_ |= !read.cached;
  switch (read.what) {
    case ReadFile::What::kUnreadable:
      known_.erase(read.name);
      return set(unreadable(read.name, read.why));
    case ReadFile::What::kGone:
      return remove(read.name);
    case ReadFile::What::kObjects:
      known_[read.name] = {read.stamp, read.text};
      return set(std::move(read.file));
  }
}

std::optional<std::vector<ConfigFolder::Cachable>> ConfigFolder::take_cachable() {
  if (!std::exchange(cache_is_old_, false)) return std::nullopt;
  std::vector<Cachable> files;
  files.reserve(known_.size());
  for (const auto& [name, known] : known_) {
    const auto file = store_.files().find(name);
    if (file != store_.files().end() && !files_with_errors_.contains(name)) files.push_back({known.text, file->second});
  }
  return files;
}

void ConfigFolder::set(config::ParsedFile file) {
  const auto old = store_.files().find(file.name);
  if (old != store_.files().end()) count(old->second, -1);
  count(file, +1);
  const std::string name = file.name;
  pending_.add(store_.set(std::move(file)));
  const config::ParsedFile& kept = store_.files().find(name)->second;
  changed_[name] = std::make_shared<const config::ParsedFile>(
      config::ParsedFile{.name = name, .objects = kept.objects, .rejected = {}, .mesh = kept.mesh, .diagnostics = {}});
}

void ConfigFolder::remove(const std::string& name) {
  known_.erase(name);
  const auto old = store_.files().find(name);
  if (old == store_.files().end()) return;
  changed_[name] = nullptr;
  count(old->second, -1);
  pending_.add(store_.remove(name));
}

void ConfigFolder::count(const config::ParsedFile& file, int sign) {
  if (config::has_errors(file.diagnostics)) {
    if (sign > 0)
      files_with_errors_.insert(file.name);
    else
      files_with_errors_.erase(file.name);
  }
  for (const auto& diagnostic : file.diagnostics)
    if (diagnostic.level == config::Level::kWarning) warnings_ += static_cast<size_t>(sign);
  if (file.mesh) mesh_files_ += sign;
  for (const auto& object : file.objects) {
    const auto kind = objects_.try_emplace(std::string(config::to_string(config::metadata(*object).kind)), 0).first;
    if ((kind->second += static_cast<size_t>(sign)) == 0) objects_.erase(kind);
    const auto& meta = config::metadata(*object);
    const auto entry = places_of_.try_emplace({meta.kind, meta.describe()}, 0).first;
    if (sign > 0 ? ++entry->second == 2 : entry->second-- == 2) doubly_defined_ += sign;
    if (entry->second == 0) places_of_.erase(entry);
  }
}

config::Diagnostics ConfigFolder::errors() const {
  if (files_with_errors_.empty() && doubly_defined_ == 0 && mesh_files_ < 2) return {};
  config::Diagnostics errors = store_.diagnostics();
  std::erase_if(errors, [](const auto& diagnostic) { return diagnostic.level != config::Level::kError; });
  return errors;
}

}  // namespace weir::agent
