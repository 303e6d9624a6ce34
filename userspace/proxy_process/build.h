#pragma once
// Which build of the program this is: the agent replaces a proxy of another.

#include <string>

namespace weir::proxy_process {

/// The linker's build id of the running program in hex; the version where it has none.
std::string build_id();

}  // namespace weir::proxy_process
