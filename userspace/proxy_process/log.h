#pragma once
// The proxy's few lines on the stderr that it has from the agent. Never waits: a line that nobody takes is lost and
// counted (hardening P15). Any thread.

#include <cstdint>
#include <string_view>

namespace weir::proxy_process {

enum class LogLevel { kInfo, kWarning, kError };

/// One line; control bytes are written as \xNN.
void log_line(LogLevel level, std::string_view text);
/// Since the process began.
uint64_t lost_log_lines();

}  // namespace weir::proxy_process
