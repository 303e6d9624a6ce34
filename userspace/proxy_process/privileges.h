#pragma once
// Getting rid of rights, for the child that becomes the proxy. Only system calls: safe between fork and exec of a
// process with threads.

#include <sys/types.h>

namespace weir::proxy_process {

/// No supplementary groups, `uid` and `gid`, no capability of any set, no_new_privs. Without root's rights the ids stay
/// as they are (an agent that is no root starts a proxy that is none). 0, or the errno of what failed; then the caller
/// must end.
int drop_privileges(uid_t uid, gid_t gid);

/// When memory runs out the kernel is to end this process rather than the agent: a new one is started, and until then
/// the kernel's programs split (hardening N11). Before drop_privileges(); where /proc does not let us, nothing changes.
void offer_to_oom_killer();

/// Whether this thread has no capability at all and cannot get any by exec.
bool has_no_privileges();

}  // namespace weir::proxy_process
