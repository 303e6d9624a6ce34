#pragma once
// Bulk beside a message: a memory file that its maker has sealed, so that it cannot change or shrink under its reader.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::proxy_process {

/// Holds `bytes`, sealed against every change.
Result<FileDescriptor> make_memory_file(std::string_view bytes);

/// `fd` came from somebody else: an error unless it is a memory file with all seals and exactly `size` bytes.
Result<std::string> read_memory_file(int fd, uint64_t size);

}  // namespace weir::proxy_process
