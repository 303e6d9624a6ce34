#include "datapath/net_sources.h"

#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <thread>

#include "base/file_descriptor.h"

namespace weir::datapath {
namespace {

constexpr int kSocketNetnsCookie = 71;  // SO_NETNS_COOKIE of asm-generic/socket.h, Linux 5.14

using Found = std::map<uint64_t, FileDescriptor>;  // inode -> a descriptor that keeps it alive while we look

void add(const std::string& path, Found* found) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || found->contains(info.st_ino)) return;
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  // Opened after stat: a process may have gone and another come in between.
  if (!fd || fstat(fd.get(), &info) != 0) return;
  found->try_emplace(info.st_ino, std::move(fd));
}

template <class Visit>
bool for_each_name(const std::string& directory, Visit visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(directory.c_str()), &closedir);
  if (!folder) return false;
  while (const dirent* entry = readdir(folder.get())) visit(std::string(entry->d_name));
  return true;
}

std::vector<IpAddress> own_addresses() {
  std::vector<IpAddress> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, &freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    IpAddress address;
    if (entry->ifa_addr->sa_family == AF_INET) {
      sockaddr_in v4{};
      std::memcpy(&v4, entry->ifa_addr, sizeof(v4));
      address = IpAddress::from_v4(v4.sin_addr.s_addr);
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 v6{};
      std::memcpy(&v6, entry->ifa_addr, sizeof(v6));
      IpAddress::Bytes bytes;
      std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
      address = IpAddress(bytes);
    } else {
      continue;
    }
    if (!address.is_loopback() && !address.is_link_local()) addresses.push_back(address);
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

void describe(NetNamespace* result) {
  const FileDescriptor probe(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  socklen_t length = sizeof(result->cookie);
  if (!probe || getsockopt(probe.get(), SOL_SOCKET, kSocketNetnsCookie, &result->cookie, &length) != 0)
    result->error = errno_error("read the namespace's cookie").message;
  else
    result->addresses = own_addresses();
}

}  // namespace

Result<void> visit_net_namespaces(const std::function<void(uint64_t, std::optional<Error>)>& visit,
                                  const std::string& proc, const std::string& run_netns) {
  Found found;
  const bool listed = for_each_name(proc, [&](const std::string& name) {
    if (!name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) != 0)
      add(proc + "/" + name + "/ns/net", &found);
  });
  if (!listed) return errno_error("list " + proc);
  for_each_name(run_netns, [&](const std::string& name) {
    if (name != "." && name != "..") add(run_netns + "/" + name, &found);
  });
  // A thread each, which ends in the foreign namespace.
  for (const auto& [inode, fd] : found)
    std::thread([&] {
      if (setns(fd.get(), CLONE_NEWNET) != 0) return visit(inode, errno_error("enter the network namespace"));
      visit(inode, std::nullopt);
    }).join();
  return {};
}

Result<std::vector<NetNamespace>> find_net_namespaces(const std::string& proc, const std::string& run_netns) {
  struct stat own {};
  if (stat("/proc/self/ns/net", &own) != 0) return errno_error("stat /proc/self/ns/net");
  std::vector<NetNamespace> result;
  const auto visit = [&](uint64_t inode, const std::optional<Error>& error) {
    NetNamespace& entry = result.emplace_back();
    entry.inode = inode;
    entry.own = inode == own.st_ino;
    if (error)
      entry.error = error->message;
    else
      describe(&entry);
  };
  WEIR_TRY(visit_net_namespaces(visit, proc, run_netns));
  return result;
}

}  // namespace weir::datapath
