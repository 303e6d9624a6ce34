#pragma once
// The sockets on which redirected connections arrive: sk_lookup hands them over, so that their own address counts for
// nothing and is one of loopback. One a worker and family: a socket bound to ::1 takes no IPv4 clients.

#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::agent {

/// Makes further ones until there are `workers` of each family that the machine has (IPv4 at least). Those that are
/// there stay: somebody may wait in their queues.
Result<void> fill_proxy_listeners(std::vector<FileDescriptor>& listeners, size_t workers);

/// Where the kernel is to send connections: `workers` of each family, as far as there are.
std::vector<int> sockets_for_kernel(const std::vector<FileDescriptor>& listeners, size_t workers);
/// The same, then all others (of a proxy with more workers). Number i is for worker i modulo `workers`: each worker has
/// one of each family.
std::vector<int> sockets_for_proxy(const std::vector<FileDescriptor>& listeners, size_t workers);

}  // namespace weir::agent
