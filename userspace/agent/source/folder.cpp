#include "agent/source/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace weir::agent {
namespace {

FileStamp stamp_of(const struct stat& info) {
  return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec};
}

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

Result<std::string> read_all(int fd, size_t expected) {
  std::string text;
  text.resize(std::min(expected, kMaxFileBytes) + 1);
  size_t size = 0;
  while (true) {
    const ssize_t count = ::read(fd, text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("read");
    if (count == 0) break;
    size += static_cast<size_t>(count);
    // It grew while it was read.
    if (size > kMaxFileBytes) return Error{"larger than 16 MiB", EFBIG};
    if (size == text.size()) text.resize(size * 2);
  }
  text.resize(size);
  return text;
}

}  // namespace

bool is_config_name(std::string_view name) {
  if (name.empty() || name.front() == '.') return false;
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

Result<Folder> Folder::open(const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  FileDescriptor directory(::open(path.c_str(), kFlags));
  if (!directory) return errno_error("open " + path);
  if (FileDescriptor data(::openat(directory.get(), "..data", kFlags)); data) return Folder(std::move(data));
  return Folder(std::move(directory));
}

Result<std::vector<FolderEntry>> Folder::list() const {
  // fdopendir takes its descriptor over and moves its offset: it gets one of its own.
  const int fd = ::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno_error("open folder");
  const std::unique_ptr<DIR, DirectoryCloser> stream(::fdopendir(fd));
  if (!stream) {
    ::close(fd);
    return errno_error("read folder");
  }
  std::vector<FolderEntry> entries;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (!is_config_name(entry->d_name)) continue;
    struct stat info {};
    FolderEntry found{entry->d_name, std::nullopt};
    if (::fstatat(directory_.get(), entry->d_name, &info, 0) == 0) found.stamp = stamp_of(info);
    entries.push_back(std::move(found));
    errno = 0;
  }
  if (errno != 0) return errno_error("read folder");
  std::ranges::sort(entries, {}, &FolderEntry::name);
  return entries;
}

Result<std::optional<Folder::File>> Folder::read(const std::string& name) const {
  const FileDescriptor fd(::openat(directory_.get(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) {
    const int why = errno;
    struct stat info {};
    if (why == ENOENT && ::fstatat(directory_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
      return std::optional<File>{};
    if (why == ENOENT) return Error{"is a symbolic link that leads nowhere", ENOENT};
    return errno_error("open", why);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return errno_error("stat");
  if (!S_ISREG(info.st_mode)) return Error{std::string("is ") + kind_of(info.st_mode) + ", not a regular file", EINVAL};
  if (static_cast<size_t>(info.st_size) > kMaxFileBytes) return Error{"larger than 16 MiB", EFBIG};
  auto text = read_all(fd.get(), static_cast<size_t>(info.st_size));
  if (!text) return std::move(text).error();
  return std::optional<File>{File{std::move(*text), stamp_of(info)}};
}

}  // namespace weir::agent
