#include "admin/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir::admin {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path))
    return Error{
        "socket path \"" + path + "\" must have 1 to " + std::to_string(sizeof(address.sun_path) - 1) + " bytes",
        ENAMETOOLONG};
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<FileDescriptor> new_socket() {
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error("socket");
  return fd;
}

/// Removes a socket left behind by a process that is gone.
Result<void> clear_stale(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return errno == ENOENT ? Result<void>{} : errno_error("stat " + path);
  if (!S_ISSOCK(info.st_mode)) return Error{path + " exists and is not a socket; move it away", EEXIST};
  if (connect_unix(path)) return Error{path + " is in use by another process", EADDRINUSE};
  if (::unlink(path.c_str()) != 0) return errno_error("remove stale socket " + path);
  return {};
}

}  // namespace

Result<FileDescriptor> connect_unix(const std::string& path) {
  auto address = address_of(path);
  if (!address) return std::move(address).error();
  auto fd = new_socket();
  if (!fd) return fd;
  if (::connect(fd->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0)
    return errno_error("connect " + path);
  return fd;
}

Result<FileDescriptor> listen_unix(const std::string& path) {
  auto address = address_of(path);
  if (!address) return std::move(address).error();
  WEIR_TRY(clear_stale(path));
  auto fd = new_socket();
  if (!fd) return fd;
  // The mode is set before listen(), so that nobody connects in between.
  if (::bind(fd->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0)
    return errno_error("bind " + path);
  if (::chmod(path.c_str(), 0660) != 0) return errno_error("chmod " + path);
  if (::listen(fd->get(), 64) != 0) return errno_error("listen " + path);
  return fd;
}

Result<Peer> peer_of(int fd) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return errno_error("SO_PEERCRED");
  return Peer{credentials.pid, credentials.uid, credentials.gid};
}

}  // namespace weir::admin
