#pragma once
// `weir proxy`: the process that agents start, talk to and replace. Its main thread answers agents on the control
// socket; a thread a worker carries the requests; one writes the beat. It outlives the agent that started it.

#include <sys/types.h>

namespace weir::proxy_process {

struct ProcessOptions {
  /// A unix SEQPACKET socket that is bound; agents connect to it.
  int control_fd = 3;
  /// Whose connections are taken, besides root's.
  uid_t agent_uid = 0;
};

/// Until it is told to stop, or has drained, or SIGTERM (which drains). Returns the exit code.
int run_process(const ProcessOptions& options);

}  // namespace weir::proxy_process
