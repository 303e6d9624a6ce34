#pragma once
// What maps, programs and links have in common, whoever loads and attaches them.

#include <cstdint>
#include <string>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::datapath {

/// Another descriptor of the same; `what` names it in the error.
Result<FileDescriptor> duplicate(int fd, const std::string& what);

/// The kernel's number for a program that we have a descriptor of; 0: it is none.
uint32_t program_id(int fd);
/// What the kernel calls the program of this number; "?": gone, or we may not know.
std::string program_name(uint32_t id);

}  // namespace weir::datapath
