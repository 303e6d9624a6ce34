#pragma once
// Tells when and where a configuration folder changed (inotify on the directory, and on its parent for the directory
// itself): an editor's save, a rename, a ConfigMap's swap of `..data`, a directory that vanishes and comes back, a
// symbolic link to it that is turned. Reads no file.

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/source/folder.h"
#include "base/file_descriptor.h"
#include "base/result.h"

struct inotify_event;

namespace weir::agent {

struct FolderChange {
  std::set<std::string> names;  // written, renamed in or out, or removed
  bool everything = false;      // what changed is not known: compare all files
  /// With `everything`: what the folder held a moment ago. Null: to be listed.
  using Listing = std::shared_ptr<const std::vector<FolderEntry>>;
  Listing listing = nullptr;
  [[nodiscard]] bool empty() const { return names.empty() && !everything; }
};

/// One thread.
class FolderWatcher {
 public:
  using Clock = std::chrono::steady_clock;

  /// The folder need not exist yet; present() tells.
  static Result<FolderWatcher> create(std::string path);

  /// Readable when there is something for read_events().
  [[nodiscard]] int fd() const { return inotify_.get(); }

  /// Takes the waiting events. True: something changed (the debounce begins or goes on).
  bool read_events(Clock::time_point now);

  /// Puts the watch back where it was lost or the path now leads elsewhere, and stops waiting for writers that have
  /// been silent for kSilentWriter without closing their file. Call it every few seconds, more often while !present().
  /// True: something changed.
  bool check(Clock::time_point now);
  static constexpr std::chrono::seconds kSilentWriter{5};

  /// What changed since the last call. A file that is being written (modified, not yet closed) is kept back until its
  /// writer closes it: half a file may be valid YAML.
  FolderChange take();
  /// More than one file has changed since take().
  [[nodiscard]] bool several_wait() const { return pending_.everything || pending_.names.size() > 1; }
  [[nodiscard]] bool is_being_written(const std::string& name) const { return writing_.contains(name); }

  /// The directory is there and watched.
  [[nodiscard]] bool present() const { return directory_watch_ >= 0; }

 private:
  FolderWatcher(std::string path, FileDescriptor inotify) : path_(std::move(path)), inotify_(std::move(inotify)) {}
  void watch_parent();
  bool watch_directory();
  void lose_directory();
  bool handle(const ::inotify_event& event, Clock::time_point now);
  bool handle_file(uint32_t mask, const std::string& name, Clock::time_point now);

  std::string path_;
  FileDescriptor inotify_;
  int directory_watch_ = -1, parent_watch_ = -1;
  uint64_t device_ = 0, inode_ = 0;
  FolderChange pending_;
  std::map<std::string, Clock::time_point> writing_;  // last seen modified
};

}  // namespace weir::agent
