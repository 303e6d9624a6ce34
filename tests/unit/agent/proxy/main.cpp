// The proxy alone, for tests that start one: what `weir proxy` does.

#include <cstdlib>
#include <cstring>

#include "proxy_process/process.h"

int main(int argc, char** argv) {
  weir::proxy_process::ProcessOptions options;
  for (int i = 1; i + 1 < argc; ++i)
    if (std::strcmp(argv[i], "--agent-uid") == 0) options.agent_uid = static_cast<uid_t>(std::atoi(argv[i + 1]));
  return weir::proxy_process::run_process(options);
}
