#pragma once
// The sockets on which redirected connections arrive: sk_lookup hands them over, so that their own address counts for
// nothing and is one of loopback.

#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::agent {

/// A listening socket for both families; for v4 alone where the machine has no v6.
Result<FileDescriptor> make_proxy_listener();

/// Makes further ones until there are `count`.
Result<void> fill_proxy_listeners(std::vector<FileDescriptor>& listeners, size_t count);

std::vector<int> borrowed(const std::vector<FileDescriptor>& fds);

}  // namespace weir::agent
