#pragma once
// Which sockets there are, by cookie, in all network namespaces that can be found.

#include <cstdint>
#include <string>
#include <unordered_set>

#include "base/result.h"

namespace weir::datapath {

/// Of all TCP (subflows of MPTCP too) and MPTCP sockets that are connected or connecting: no others have records. An
/// error when a namespace that was found could not be listed: then nothing may be concluded from a cookie that is
/// missing. A namespace that only an open socket keeps alive cannot be found. Any thread; needs CAP_SYS_ADMIN and the
/// host's /proc.
Result<std::unordered_set<uint64_t>> live_socket_cookies(const std::string& proc = "/proc",
                                                         const std::string& run_netns = "/run/netns");

}  // namespace weir::datapath
