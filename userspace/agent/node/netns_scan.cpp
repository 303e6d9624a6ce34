#include "agent/node/netns_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cstring>
#include <memory>
#include <optional>
#include <set>

#include "base/file_descriptor.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

namespace weir::agent {
namespace {

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
struct AddressFreer {
  void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};

std::vector<std::string> entries_of(const char* path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, DirectoryCloser> stream(::opendir(path));
  if (!stream) return names;
  while (const dirent* entry = ::readdir(stream.get()))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  return names;
}

std::vector<std::string> candidate_paths() {
  std::vector<std::string> paths;
  for (const auto& name : entries_of("/run/netns")) paths.push_back("/run/netns/" + name);
  for (const auto& name : entries_of("/proc"))
    if (std::isdigit(static_cast<unsigned char>(name.front())) != 0) paths.push_back("/proc/" + name + "/ns/net");
  return paths;
}

std::optional<IpAddress> address_in(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  std::optional<IpAddress> found;
  if (address->sa_family == AF_INET) {
    found = IpAddress::from_v4(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr);
  } else if (address->sa_family == AF_INET6) {
    IpAddress::Bytes bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, bytes.size());
    found = IpAddress(bytes);
  }
  if (!found || found->is_loopback() || found->is_link_local()) return std::nullopt;
  return found;
}

/// Of the namespace that the thread is in.
std::optional<uint64_t> current_cookie() {
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  if (!probe || ::getsockopt(probe.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0) return std::nullopt;
  return cookie;
}

std::set<IpAddress> current_addresses() {
  std::set<IpAddress> addresses;
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) return addresses;
  const std::unique_ptr<ifaddrs, AddressFreer> list(raw);
  for (const ifaddrs* entry = raw; entry != nullptr; entry = entry->ifa_next)
    if (const auto address = address_in(entry->ifa_addr)) addresses.insert(*address);
  return addresses;
}

}  // namespace

Result<NetnsScan> scan_network_namespaces() {
  const FileDescriptor home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!home || ::fstat(home.get(), &info) != 0) return errno_error("open own network namespace");
  std::set<ino_t> seen{info.st_ino};
  std::set<IpAddress> ambiguous;
  NetnsScan scan;
  for (const auto& path : candidate_paths()) {
    if (::stat(path.c_str(), &info) != 0 || !seen.insert(info.st_ino).second) continue;
    const FileDescriptor target(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!target || ::setns(target.get(), CLONE_NEWNET) != 0) {
      ++scan.unreadable;
      continue;
    }
    const auto cookie = current_cookie();
    const auto addresses = current_addresses();
    if (::setns(home.get(), CLONE_NEWNET) != 0) return errno_error("return to own network namespace");
    ++scan.namespaces;
    if (!cookie) continue;
    for (const auto& address : addresses)
      if (!scan.cookie_of.emplace(address, *cookie).second) ambiguous.insert(address);
  }
  for (const auto& address : ambiguous) scan.cookie_of.erase(address);
  return scan;
}

}  // namespace weir::agent
