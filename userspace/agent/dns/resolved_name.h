#pragma once
// What is known of a name that endpoints are called by. Values: any thread.

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/ip_address.h"

namespace weir::agent {

struct ResolvedNameState {
  std::vector<IpAddress> addresses;               // of the last good answer, sorted; empty: there was none
  std::chrono::steady_clock::time_point since{};  // they have been these
  std::string error;                              // of the last try; empty: it was good, or is under way
};
using ResolvedNameStates = std::map<std::string, ResolvedNameState>;

}  // namespace weir::agent
