#include "agent/run_dir.h"

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

Result<void> RunDir::leave_note(const std::string& text) const {
  const std::string temporary = path_ + "/.agent.json";
  const FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file) return errno_error("open " + temporary);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return errno_error("write " + temporary);
  if (::rename(temporary.c_str(), note_path(path_).c_str()) != 0) return errno_error("rename " + temporary);
  return {};
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
