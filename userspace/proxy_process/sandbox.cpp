#include "proxy_process/sandbox.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "proxy_process/privileges.h"

namespace weir::proxy_process {
namespace {

struct ContextCloser {
  void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, ContextCloser>;

// Whatever their arguments are.
constexpr std::array kAllowed = {
    // bytes on descriptors that are open
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(lseek),
    SCMP_SYS(dup),
    SCMP_SYS(dup3),
    SCMP_SYS(ftruncate),
    SCMP_SYS(memfd_create),
    // sockets; which ones can be made is below
    SCMP_SYS(accept4),
    SCMP_SYS(connect),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    // waiting
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(eventfd2),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(futex),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
    // memory; none of it executable, below
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    // threads, signals of our own
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // what the time is, who we are, dice
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrandom),
    // a stricter filter on top of this one
    SCMP_SYS(seccomp),
#ifdef __SANITIZE_ADDRESS__
    // The sanitizers' runtime finds out by a pipe whether memory can be read.
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
#endif
};

// Nobody but an attacker asks for these here.
constexpr std::array kFatal = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(bpf),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(pidfd_getfd),
};

/// Collects the first failure of many calls.
class Rules {
 public:
  explicit Rules(scmp_filter_ctx context) : context_(context) {}
  template <class... Conditions>
  void add(uint32_t action, int call, Conditions... conditions) {
    const std::array<scmp_arg_cmp, sizeof...(Conditions)> list{conditions...};
    const int failed = seccomp_rule_add_array(context_, action, call, sizeof...(Conditions), list.data());
    if (failed != 0 && failed_ == 0) failed_ = failed;
  }
  template <class... Conditions>
  void allow(int call, Conditions... conditions) {
    add(SCMP_ACT_ALLOW, call, conditions...);
  }
  [[nodiscard]] int failed() const { return failed_; }

 private:
  scmp_filter_ctx context_;
  int failed_ = 0;
};

scmp_arg_cmp equals(unsigned argument, uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp masked(unsigned argument, uint64_t mask, uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void allow_by_argument(Rules& rules) {
  constexpr uint64_t kTypeMask = 0xf;
  for (const int family : {AF_INET, AF_INET6})
    rules.allow(SCMP_SYS(socket), equals(0, static_cast<uint64_t>(family)), masked(1, kTypeMask, SOCK_STREAM));
  rules.allow(SCMP_SYS(socketpair), equals(0, AF_UNIX));
  for (const int command : {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GET_SEALS, F_ADD_SEALS})
    rules.allow(SCMP_SYS(fcntl), equals(1, static_cast<uint64_t>(command)));
  rules.allow(SCMP_SYS(mmap), masked(2, PROT_EXEC, 0));
  rules.allow(SCMP_SYS(mprotect), masked(2, PROT_EXEC, 0));
  rules.allow(SCMP_SYS(clone), masked(0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM));
  // Its flags lie in memory, where a filter cannot look: libc then takes clone().
  rules.add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  // Reading limits of our own; setting them would need a third argument.
  rules.allow(SCMP_SYS(prlimit64), equals(0, 0), equals(2, 0));
  rules.allow(SCMP_SYS(tgkill), equals(0, static_cast<uint64_t>(::getpid())));
  for (const int option : {PR_SET_NAME, PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS})
    rules.allow(SCMP_SYS(prctl), equals(0, static_cast<uint64_t>(option)));
  // madvise-like naming of memory by newer libcs: harmless and refused.
}

Result<void> load(scmp_filter_ctx context) {
  const int failed = seccomp_load(context);
  if (failed != 0) return errno_error("load the seccomp filter", -failed);
  return {};
}

}  // namespace

Result<void> enter_sandbox() {
  if (!has_no_privileges())
    return Error{"the proxy still has rights: it is started by weir agent, which takes them away", EPERM};
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno_error("PR_SET_DUMPABLE");
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return errno_error("RLIMIT_CORE");
  const Context context(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!context) return Error{"no memory for the seccomp filter", ENOMEM};
  Rules rules(context.get());
  for (const int call : kAllowed) rules.allow(call);
  for (const int call : kFatal) rules.add(SCMP_ACT_KILL_PROCESS, call);
  allow_by_argument(rules);
  if (rules.failed() != 0) return errno_error("make the seccomp filter", -rules.failed());
  seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a tree: a call a packet passes through it
  return load(context.get());
}

Result<void> forbid_new_rings() {
  const Context context(seccomp_init(SCMP_ACT_ALLOW));
  if (!context) return Error{"no memory for the seccomp filter", ENOMEM};
  Rules rules(context.get());
  rules.add(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(io_uring_setup));
  if (rules.failed() != 0) return errno_error("make the seccomp filter", -rules.failed());
  seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  return load(context.get());
}

}  // namespace weir::proxy_process
