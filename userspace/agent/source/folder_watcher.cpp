#include "agent/source/folder_watcher.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "agent/source/folder.h"

namespace weir::agent {
namespace {

constexpr uint32_t kDirectoryMask = IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                                    IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr uint32_t kParentMask = IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ONLYDIR;

/// The path without a trailing slash, so that its last part is a name.
std::filesystem::path trimmed(const std::string& path) {
  std::filesystem::path whole = std::filesystem::path(path).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

std::string parent_of(const std::string& path) {
  const auto parent = trimmed(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

Result<FolderWatcher> FolderWatcher::create(std::string path) {
  FileDescriptor inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify) return errno_error("inotify_init1");
  FolderWatcher watcher(std::move(path), std::move(inotify));
  watcher.watch_parent();
  watcher.watch_directory();
  return watcher;
}

void FolderWatcher::watch_parent() {
  // No parent to watch (it is gone, or may not be read): check() finds the directory all the same, only later.
  parent_watch_ = ::inotify_add_watch(inotify_.get(), parent_of(path_).c_str(), kParentMask);
}

bool FolderWatcher::watch_directory() {
  struct stat info {};
  const int watch = ::inotify_add_watch(inotify_.get(), path_.c_str(), kDirectoryMask);
  if (watch < 0 || ::stat(path_.c_str(), &info) != 0) return false;
  if (directory_watch_ >= 0 && directory_watch_ != watch) ::inotify_rm_watch(inotify_.get(), directory_watch_);
  directory_watch_ = watch;
  device_ = info.st_dev;
  inode_ = info.st_ino;
  pending_.everything = true;
  writing_.clear();
  return true;
}

void FolderWatcher::lose_directory() {
  if (directory_watch_ >= 0) ::inotify_rm_watch(inotify_.get(), directory_watch_);
  directory_watch_ = -1;
  pending_.everything = true;
  writing_.clear();
}

bool FolderWatcher::read_events(Clock::time_point now) {
  alignas(::inotify_event) std::array<char, 64 * 1024> buffer;
  bool changed = false;
  while (true) {
    const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return changed;
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      changed |= handle(*event, now);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
}

bool FolderWatcher::handle(const inotify_event& event, Clock::time_point now) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {
    pending_.everything = true;
    writing_.clear();
    return true;
  }
  const std::string name = event.len > 0 ? event.name : "";
  if (event.wd == parent_watch_ && event.wd != directory_watch_) {
    if ((event.mask & IN_IGNORED) != 0) parent_watch_ = -1;
    return name == trimmed(path_).filename() && check(now);
  }
  if (event.wd != directory_watch_) return false;  // of a watch that was given up
  if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0) {
    lose_directory();
    watch_directory();
    return true;
  }
  return handle_file(event.mask, name, now);
}

bool FolderWatcher::handle_file(uint32_t mask, const std::string& name, Clock::time_point now) {
  if (name == "..data") {
    pending_.everything = true;
    return true;
  }
  if (!is_config_name(name)) return false;
  if ((mask & IN_MODIFY) != 0)
    writing_[name] = now;
  else if ((mask & IN_ATTRIB) == 0)
    writing_.erase(name);
  pending_.names.insert(name);
  return true;
}

bool FolderWatcher::check(Clock::time_point now) {
  bool changed = std::erase_if(writing_, [now](const auto& entry) { return now - entry.second >= kSilentWriter; }) > 0;
  if (parent_watch_ < 0) watch_parent();
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) {
    if (!present()) return changed;
    lose_directory();
    return true;
  }
  if (present() && info.st_dev == device_ && info.st_ino == inode_) return changed;
  return watch_directory() || changed;
}

FolderChange FolderWatcher::take() {
  FolderChange change;
  change.everything = std::exchange(pending_.everything, false);
  std::set<std::string> held;
  for (auto& name : pending_.names) (writing_.contains(name) ? held : change.names).insert(name);
  pending_.names = std::move(held);
  return change;
}

}  // namespace weir::agent
