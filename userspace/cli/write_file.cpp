#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/file_descriptor.h"
#include "cli/folder_edit.h"

namespace weir::cli {
namespace {

struct Freer {
  void operator()(char* text) const { ::free(text); }
};

std::string resolved(const std::string& path) {
  const std::unique_ptr<char, Freer> real(::realpath(path.c_str(), nullptr));
  return real ? std::string(real.get()) : path;
}

Result<void> write_all(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("write");
    done += static_cast<size_t>(count);
  }
  // Before the rename: after a crash there is the old file or the new one, never an empty one.
  if (::fsync(fd) != 0) return errno_error("fsync");
  return {};
}

Result<void> fill(const FileDescriptor& file, const std::string& target, const std::string& text) {
  struct stat info {};
  if (::stat(target.c_str(), &info) == 0) {
    if (::fchmod(file.get(), info.st_mode & 07777) != 0) return errno_error("keep the mode");
    // Only root may give files away; anybody else's own file stays their own.
    if (info.st_uid != ::geteuid() && ::fchown(file.get(), info.st_uid, info.st_gid) != 0)
      return errno_error("keep the owner");
  }
  return write_all(file.get(), text);
}

}  // namespace

Result<void> write_atomically(const std::string& path, const std::string& text) {
  const std::string target = resolved(path);
  const std::filesystem::path place(target);
  // Hidden, so that no watcher takes it for configuration.
  const std::string temporary =
      (place.parent_path() / ("." + place.filename().string() + ".weir-" + std::to_string(::getpid()))).string();
  FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file && errno == EEXIST) {  // of a process of our number that died
    ::unlink(temporary.c_str());
    file.reset(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  }
  if (!file) return errno_error("make " + temporary);
  auto written = fill(file, target, text);
  file.reset();
  if (written && ::rename(temporary.c_str(), target.c_str()) != 0) written = errno_error("rename to " + target);
  if (!written) {
    ::unlink(temporary.c_str());
    return std::move(written).error().context(target);
  }
  if (const FileDescriptor folder(::open(place.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); folder)
    ::fsync(folder.get());
  return {};
}

}  // namespace weir::cli
