#include "datapath/kernel_object.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>

#include <cstring>

namespace weir::datapath {

Result<FileDescriptor> duplicate(int fd, const std::string& what) {
  FileDescriptor copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) return errno_error("duplicate the descriptor of " + what);
  return copy;
}

uint32_t program_id(int fd) {
  bpf_prog_info info{};
  __u32 length = sizeof(info);
  return bpf_obj_get_info_by_fd(fd, &info, &length) < 0 ? 0 : info.id;
}

std::string program_name(uint32_t id) {
  const FileDescriptor fd(bpf_prog_get_fd_by_id(id));
  bpf_prog_info info{};
  __u32 length = sizeof(info);
  if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &length) < 0) return "?";
  return {info.name, strnlen(info.name, sizeof(info.name))};
}

}  // namespace weir::datapath
