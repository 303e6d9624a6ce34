#pragma once
// The agent's directory for its socket and lock: one agent a directory.

#include <optional>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::agent {

inline constexpr const char* kDefaultRunDir = "/run/weir";
/// RUN_DIR/weir.sock.
std::string socket_path(const std::string& run_dir);
/// RUN_DIR/agent.json: {"config", "cgroup", "bpffs", "node"} of the agent that ran last.
std::string note_path(const std::string& run_dir);

/// RUN_DIR/objects.cache: what the configuration's files held when they were last read.
std::string cache_path(const std::string& run_dir);

/// Puts `bytes` in the place of the file at `path`, all or nothing. Any thread.
Result<void> replace_file(const std::string& path, std::string_view bytes, int mode);
/// The bytes of a file of ours that nobody else can write; nothing where there is none.
Result<std::optional<std::string>> read_own_file(const std::string& path, size_t most);

class RunDir {
 public:
  /// Makes the directory (mode 0750) where it is missing and locks RUN_DIR/agent.lock, which holds our pid. Error::code
  /// is EBUSY and the message names the other agent's pid when there is one.
  static Result<RunDir> take(const std::string& path);

  /// Leaves `text` in RUN_DIR/agent.json for those who come when this agent is gone.
  Result<void> leave_note(const std::string& text) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  RunDir(std::string path, FileDescriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  FileDescriptor lock_;  // held as long as it is open; the file stays
};

}  // namespace weir::agent
