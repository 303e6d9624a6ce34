#include "base/file_descriptor.h"

#include <unistd.h>

namespace weir {

void FileDescriptor::reset(int fd) {
  if (fd_ >= 0 && fd_ != fd) ::close(fd_);
  fd_ = fd;
}

}  // namespace weir
