#include "proxy_process/privileges.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace weir::proxy_process {
namespace {

using CapData = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

int drop_bounding_set() {
  constexpr int kMostCapabilities = 64;
  for (int capability = 0; capability < kMostCapabilities; ++capability) {
    if (::prctl(PR_CAPBSET_READ, capability) < 0) break;  // EINVAL: this kernel knows no more
    // Without CAP_SETPCAP it stays, and no_new_privs keeps anybody from using it.
    if (::prctl(PR_CAPBSET_DROP, capability) != 0 && errno != EPERM) return errno;
  }
  return 0;
}

int drop_ids(uid_t uid, gid_t gid) {
  // glibc's wrappers tell every thread of the parent that is not there any more.
  if (::syscall(SYS_setgroups, 0, nullptr) != 0) return errno;
  if (::syscall(SYS_setresgid, gid, gid, gid) != 0) return errno;
  if (::syscall(SYS_setresuid, uid, uid, uid) != 0) return errno;
  return 0;
}

}  // namespace

int drop_privileges(uid_t uid, gid_t gid) {
  if (const int failed = drop_bounding_set(); failed != 0) return failed;
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (::geteuid() == 0)
    if (const int failed = drop_ids(uid, gid); failed != 0) return failed;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  CapData none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) return errno;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return 0;
}

void offer_to_oom_killer() {
  constexpr char kScore[] = "500";  // of -1000 (never) to 1000
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (::write(fd, kScore, sizeof kScore - 1) < 0) errno = 0;
  ::close(fd);
}

bool has_no_privileges() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  CapData data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return false;
  for (const auto& part : data)
    if (part.effective != 0 || part.permitted != 0 || part.inheritable != 0) return false;
  return ::geteuid() != 0 && ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

}  // namespace weir::proxy_process
