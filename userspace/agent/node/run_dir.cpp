#include "agent/node/run_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace weir::agent {
namespace {

Result<void> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0750) == 0) {
    // mkdir's mode is cut by the umask.
    return ::chmod(path.c_str(), 0750) == 0 ? Result<void>{} : errno_error("chmod " + path);
  }
  if (errno != EEXIST) return errno_error("make run directory " + path);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno_error("stat " + path);
  if (!S_ISDIR(info.st_mode)) return Error{"run directory " + path + " is not a directory", ENOTDIR};
  return {};
}

std::string holder_of(int lock) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(lock, text.data(), text.size() - 1, 0);
  std::string pid(text.data(), size > 0 ? static_cast<size_t>(size) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

}  // namespace

std::string socket_path(const std::string& run_dir) {
  return run_dir + "/weir.sock";
}

std::string note_path(const std::string& run_dir) {
  return run_dir + "/agent.json";
}

std::string cache_path(const std::string& run_dir) {
  return run_dir + "/objects.cache";
}

Result<void> replace_file(const std::string& path, std::string_view bytes, int mode) {
  const size_t slash = path.rfind('/');
  const std::string temporary = path.substr(0, slash + 1) + "." + path.substr(slash + 1);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  const FileDescriptor file(::open(temporary.c_str(), kFlags, mode));
  if (!file) return errno_error("open " + temporary);
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      auto error = errno_error("write " + temporary);
      ::unlink(temporary.c_str());
      return error;
    }
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return errno_error("rename " + temporary);
  return {};
}

Result<std::optional<std::string>> read_own_file(const std::string& path, size_t most) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::optional<std::string>{};
  if (!file) return errno_error("open " + path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return errno_error("stat " + path);
  if (!S_ISREG(info.st_mode)) return Error{path + " is not a regular file", EINVAL};
  if (info.st_uid != ::geteuid() || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return Error{path + " can be written by others", EPERM};
  if (static_cast<size_t>(info.st_size) > most) return Error{path + " is too large", EFBIG};
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("read " + path);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  bytes.resize(size);
  return std::optional<std::string>{std::move(bytes)};
}

Result<void> RunDir::leave_note(const std::string& text) const {
  return replace_file(note_path(path_), text, 0640);
}

Result<RunDir> RunDir::take(const std::string& path) {
  WEIR_TRY(make_directory(path));
  const std::string file = path + "/agent.lock";
  FileDescriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!lock) return errno_error("open " + file);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_error("lock " + file);
    return Error{"another agent (pid " + holder_of(lock.get()) + ") runs with " + path +
                     "; stop it first, or give this one a --run-dir of its own",
                 EBUSY};
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.get(), 0) != 0 || ::pwrite(lock.get(), pid.data(), pid.size(), 0) < 0)
    return errno_error("write " + file);
  return RunDir(path, std::move(lock));
}

}  // namespace weir::agent
