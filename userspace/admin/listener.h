#pragma once
// The admin API's listening socket.

#include <string>

#include "admin/server.h"
#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::admin {

/// Listens at `path` with mode 0660. A left-over socket that nobody listens on is replaced; anything else there is an
/// error.
Result<FileDescriptor> listen_unix(const std::string& path);

/// Connects to `path`. Error::code is the errno (ENOENT, ECONNREFUSED, EACCES).
Result<FileDescriptor> connect_unix(const std::string& path);

/// Who is at the other end (SO_PEERCRED).
Result<Peer> peer_of(int fd);

}  // namespace weir::admin
