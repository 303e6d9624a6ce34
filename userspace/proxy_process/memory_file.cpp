#include "proxy_process/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace weir::proxy_process {
namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

Result<FileDescriptor> make_memory_file(std::string_view bytes) {
  FileDescriptor file(::memfd_create("weir", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return errno_error("memfd_create");
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return errno_error("write to a memory file");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  if (::fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) return errno_error("seal a memory file");
  return file;
}

Result<std::string> read_memory_file(int fd, uint64_t size) {
  // Only memory files have seals: this also keeps us from reading something that blocks.
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0) return errno_error("enclosed file is not a memory file");
  if ((seals & kSeals) != kSeals) return Error{"enclosed memory file is not sealed", EPERM};
  const off_t end = ::lseek(fd, 0, SEEK_END);  // libc's fstat() is a call that the sandbox does not know
  if (end < 0) return errno_error("size of a memory file");
  if (static_cast<uint64_t>(end) != size) return Error{"enclosed memory file has another size than told"};
  std::string bytes(size, '\0');
  for (size_t at = 0; at < size;) {
    const ssize_t count = ::pread(fd, bytes.data() + at, size - at, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return errno_error("read a memory file");
    at += static_cast<size_t>(count);
  }
  return bytes;
}

}  // namespace weir::proxy_process
