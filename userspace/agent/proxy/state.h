#pragma once
// What the agent knows of the proxy, as its views show it. Values: a copy is a snapshot, any thread.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/node/address.h"

namespace weir::agent {

struct ProxyState {
  using WallClock = std::chrono::system_clock;
  enum class What {
    kUnneeded,     // no service needs it, and none runs
    kUnsupported,  // this kernel cannot send connections to it
    kUp,
    kDown,  // needed, and does not serve
  };
  What what = What::kUnneeded;
  std::string why;              // of kUnsupported, kDown
  WallClock::time_point since;  // of kUp, kDown
  std::string trouble;          // it serves, and something is wrong: "has not taken generation 7: ..."
  bool silent = false;          // its beat is old: the kernel does without it
  int pid = 0;
  std::string version, build, loop;
  uint64_t generation = 0;
  unsigned workers = 0;
  bool adopted = false;   // an earlier agent started it
  uint64_t restarts = 0;  // since this agent began, replacements not counted
  uint64_t replacements = 0;
  std::vector<int> draining;  // pids of those that end
  NodeAddresses addresses;
  uint16_t first_port = 0, port_count = 0;
  size_t ports = 0;        // in use
  std::string access_log;  // where it goes; empty: nowhere
};
/// "unneeded", "unsupported", "up", "down".
const char* to_string(ProxyState::What what);

}  // namespace weir::agent
