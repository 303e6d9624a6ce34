#pragma once
// A proxy that only listens, its sign of life, and clients in other network namespaces and cgroups.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "bpf/abi.h"
#include "datapath/cgroup.h"
#include "fixture.h"

namespace weir::datapath::test {

/// The proxy's page, as the proxy has it.
class Beat {
 public:
  explicit Beat(const Datapath& datapath) {
    const auto fd = datapath.proxy_beat();
    if (!fd) return;
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0);
    if (page != MAP_FAILED) value_ = static_cast<volatile uint64_t*>(page);
  }
  ~Beat() {
    if (value_ != nullptr) munmap(const_cast<uint64_t*>(value_), 4096);
  }
  Beat(const Beat&) = delete;
  Beat& operator=(const Beat&) = delete;

  /// As if the last beat had been so long ago.
  void set_age(int64_t ns) { *value_ = now() - static_cast<uint64_t>(ns); }
  void set(uint64_t value) { *value_ = value; }

 private:
  static uint64_t now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
  }
  volatile uint64_t* value_ = nullptr;
};

struct Accepted {
  FileDescriptor fd;
  std::string at, from;  // getsockname, getpeername
};

inline std::string name_of(int fd) {
  sockaddr_in6 name{};
  socklen_t length = sizeof(name);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0) return "?";
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), &name.sin6_addr, bytes.size());
  if (name.sin6_family == AF_INET)
    return to_string(IpAddress::from_v4(reinterpret_cast<sockaddr_in*>(&name)->sin_addr.s_addr), ntohs(name.sin6_port));
  return to_string(IpAddress(bytes), ntohs(name.sin6_port));
}

/// Listening sockets for both families, on some port.
class Listeners {
 public:
  explicit Listeners(int count) {
    for (int i = 0; i < count; ++i) {
      FileDescriptor fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 || listen(fd.get(), 4096) != 0)
        std::abort();
      fds_.push_back(fd.get());
      owned_.push_back(std::move(fd));
    }
  }
  [[nodiscard]] std::span<const int> fds() const { return fds_; }
  void close() {
    owned_.clear();
    fds_.clear();
  }
  /// The next connection of any of them; no descriptor when there is none.
  [[nodiscard]] Accepted accept() const {
    for (const int fd : fds_) {
      Accepted accepted;
      accepted.fd.reset(accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
      if (!accepted.fd) continue;
      accepted.at = name_of(accepted.fd.get());
      accepted.from = peer_of(accepted.fd.get());
      return accepted;
    }
    return {};
  }
  [[nodiscard]] int accept_all(int listener) const {
    int count = 0;
    for (;; ++count) {
      const FileDescriptor fd(accept4(fds_[static_cast<size_t>(listener)], nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd) return count;
    }
  }

 private:
  std::vector<FileDescriptor> owned_;
  std::vector<int> fds_;
};

/// A network namespace, joined to this thread's by a veth pair: 10.77.0.1 and fd77::1 here, 10.77.0.2 and fd77::2
/// there.
class OtherNetns {
 public:
  /// Runs `work` in a thread that is in the namespace.
  template <class Work>
  auto run(Work work) const {
    decltype(work()) result{};
    std::thread([&] {
      if (setns(netns_.get(), CLONE_NEWNET) == 0) result = work();
    }).join();
    return result;
  }

  OtherNetns() {
    std::thread([this] {
      if (unshare(CLONE_NEWNET) == 0) netns_.reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    }).join();
    const std::string path = "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(netns_.get());
    ready_ = netns_.valid() && command("ip link add wa type veth peer name wb") &&
             command("ip link set wb netns " + path) && address("wa", "1") &&
             run([] { return command("ip link set lo up") && address("wb", "2"); });
  }
  [[nodiscard]] bool ready() const { return ready_; }

 private:
  static bool command(const std::string& line) { return std::system((line + " > /dev/null 2>&1").c_str()) == 0; }
  static bool address(const std::string& device, const std::string& last) {
    return command("ip addr add 10.77.0." + last + "/24 dev " + device) &&
           command("ip addr add fd77::" + last + "/64 dev " + device + " nodad") &&
           command("ip link set " + device + " up");
  }
  FileDescriptor netns_;
  bool ready_ = false;
};

class ProxyTest : public LiveTest {
 protected:
  static constexpr const char* kVip = "127.9.0.1";
  static constexpr const char* kVip6 = "fd00:9::1";

  /// A plan whose services are all for the proxy.
  static routing::Plan proxied(std::vector<std::shared_ptr<routing::ServicePlan>> services, uint64_t generation = 1) {
    for (auto& service : services) {
      service->path = routing::Path::kProxy;
      for (auto& frontend : service->frontends) {
        frontend.proxied = true;
        bool empty = true;
        for (const auto& destination : service->splits[frontend.split].destinations)
          empty = empty && destination.endpoints.empty();
        if (empty) frontend.split = routing::kNoSplit;
      }
      if (service->frontends[0].split == routing::kNoSplit) service->splits.clear();
    }
    return make_plan(std::move(services), generation);
  }

  /// Starts, and a proxy of two workers at 127.0.0.1 and ::1 lives.
  Datapath start_with_proxy(const routing::Plan& plan) { return start_with_proxy(plan, sandbox.options()); }
  Datapath start_with_proxy(const routing::Plan& plan, Options options) {
    auto datapath = start(plan, std::move(options));
    if (!datapath.why_no_proxy().empty()) ADD_FAILURE() << datapath.why_no_proxy();
    set_place(datapath, place());
    if (auto told = datapath.set_proxy_listeners(listeners.fds()); !told) ADD_FAILURE() << told.error().message;
    Beat(datapath).set_age(0);
    return datapath;
  }
  static void set_place(Datapath& datapath, const ProxyPlace& place) {
    if (auto told = datapath.set_proxy(place); !told) ADD_FAILURE() << told.error().message;
  }
  static ProxyPlace place(const std::string& v4 = "127.0.0.1", const std::string& v6 = "::1") {
    ProxyPlace place;
    place.v4 = IpAddress::parse(v4);
    place.v6 = IpAddress::parse(v6);
    place.enabled = true;
    return place;
  }

  // Sockets are of the network namespace that they are made in: the sandbox is there before.
  Listeners listeners{2};
};

}  // namespace weir::datapath::test
