#pragma once
// What the proxy may ask of the kernel: sockets that it was given or that lead to endpoints, memory, threads, clocks.
// Nothing else: no file is opened, no program run, no other process touched. It reads what strangers send, so a fault
// of its parser must not be worth anything (hardening 3.2).

#include "base/result.h"

namespace weir::proxy_process {

/// For the whole process: call it before the first thread is made and the first byte is read. An error when there are
/// rights left (drop_privileges() comes first) or the kernel has no seccomp.
/// Calls that only an attacker makes (execve, ptrace, bpf, mount, modules, io_uring's siblings) end the process; any
/// other that is not on the list fails with EPERM.
Result<void> enter_sandbox();

/// No further io_uring from here on, of any thread: what goes through a ring passes by the filter, so the rings that
/// are there must be all. They are restricted to what the loop does (net/uring_loop).
Result<void> forbid_new_rings();

}  // namespace weir::proxy_process
