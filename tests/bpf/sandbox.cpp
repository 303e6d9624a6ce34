#include "sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "datapath/cgroup.h"

namespace weir::datapath::test {
namespace {

bool write_file(const std::string& path, const std::string& text) {
  const FileDescriptor fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// Path of this process's cgroup2 below its root.
std::string current_cgroup() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("0::")) return line.substr(3);
  return "/";
}

/// Runs `remove` on each name in `directory` that is `prefix` and the number of a process that is no more: what a
/// killed test left.
template <class Remove>
void remove_stale(const std::string& directory, const std::string& prefix, Remove remove) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(prefix)) continue;
    const int pid = std::atoi(name.c_str() + prefix.size());
    if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH) remove(entry.path().string());
  }
}

socklen_t fill(sockaddr_storage* storage, int family, const std::string& text, uint16_t port) {
  const auto address = *IpAddress::parse(text);
  if (family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = address.v4();
    std::memcpy(storage, &v4, sizeof(v4));
    return sizeof(v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, address.bytes().data(), 16);
  std::memcpy(storage, &v6, sizeof(v6));
  return sizeof(v6);
}

int family_of(const std::string& address) {
  return IpAddress::parse(address)->is_v4() ? AF_INET : AF_INET6;
}

Connection connect_family(int family, const std::string& address, uint16_t port) {
  Connection connection;
  connection.fd.reset(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  connection.error = connect_socket(connection.fd.get(), family, address, port);
  return connection;
}

}  // namespace

Sandbox::Sandbox() {
  if (geteuid() != 0) {
    missing_ = "needs root";
    return;
  }
  auto root = find_cgroup2_root();
  if (!root) {
    missing_ = root.error().message;
    return;
  }
  home_cgroup_ = *root + current_cgroup();
  remove_stale(*root, "weir_test_", [](const std::string& path) { rmdir(path.c_str()); });
  remove_stale("/tmp", "weir_bpf_", [](const std::string& path) {
    umount2(path.c_str(), MNT_DETACH);
    rmdir(path.c_str());
  });
  const std::string cgroup = *root + "/weir_test_" + std::to_string(getpid());
  std::string directory = "/tmp/weir_bpf_" + std::to_string(getpid()) + "_XXXXXX";
  if (mkdir(cgroup.c_str(), 0755) != 0 && errno != EEXIST) {
    missing_ = "cannot make a cgroup: " + std::string(std::strerror(errno));
    return;
  }
  cgroup_ = cgroup;
  if (!write_file(cgroup_ + "/cgroup.procs", "0") || mkdtemp(directory.data()) == nullptr) {
    missing_ = "cannot join a cgroup: " + std::string(std::strerror(errno));
    return;
  }
  if (mount("bpf", directory.c_str(), "bpf", 0, nullptr) != 0)
    missing_ = "cannot mount a bpffs: " + std::string(std::strerror(errno));
  else
    mount_ = directory;
  if (missing_.empty()) enter_netns();
}

void Sandbox::enter_netns() {
  home_netns_.reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!home_netns_ || unshare(CLONE_NEWNET) != 0) {
    missing_ = "cannot make a network namespace: " + std::string(std::strerror(errno));
    return;
  }
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP;
  if (ioctl(fd.get(), SIOCSIFFLAGS, &loopback) != 0)
    missing_ = "cannot bring loopback up: " + std::string(std::strerror(errno));
}

Sandbox::~Sandbox() {
  if (!mount_.empty()) {
    (void)uninstall(bpffs_dir());
    umount2(mount_.c_str(), MNT_DETACH);
    rmdir(mount_.c_str());
  }
  if (home_netns_) (void)setns(home_netns_.get(), CLONE_NEWNET);
  if (cgroup_.empty()) return;
  write_file(home_cgroup_ + "/cgroup.procs", "0");
  rmdir(cgroup_.c_str());
}

Options Sandbox::options() const {
  Options options;
  options.bpffs_dir = bpffs_dir();
  options.cgroup = cgroup_;
  options.node = "test-node";
  options.sizes = {.frontends = 256,
                   .splits = 256,
                   .endpoints = 4096,
                   .counters = 4096,
                   .sockets = 1024,
                   .sources = 64,
                   .redirects = 1024};
  return options;
}

Servers::Servers() : epoll_(epoll_create1(EPOLL_CLOEXEC)), stop_(eventfd(0, EFD_CLOEXEC)) {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), &event);
  thread_ = std::thread([this] { run(); });
}

Servers::~Servers() {
  const uint64_t one = 1;
  (void)!write(stop_.get(), &one, sizeof(one));
  thread_.join();
}

routing::PlanEndpoint Servers::start(char name, const std::string& address) {
  const int family = family_of(address);
  auto listener = std::make_unique<Listener>();
  listener->name = name;
  listener->fd.reset(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_storage storage{};
  const socklen_t length = fill(&storage, family, address, 0);
  if (bind(listener->fd.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0 ||
      listen(listener->fd.get(), 1024) != 0)
    std::abort();
  socklen_t got = sizeof(storage);
  getsockname(listener->fd.get(), reinterpret_cast<sockaddr*>(&storage), &got);
  const uint16_t port = ntohs(reinterpret_cast<sockaddr_in*>(&storage)->sin_port);  // same place for v6
  epoll_event event{.events = EPOLLIN, .data = {.ptr = listener.get()}};
  listeners_.push_back(std::move(listener));
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listeners_.back()->fd.get(), &event);
  return {.address = *IpAddress::parse(address), .port = port, .weight = 1};
}

void Servers::run() {
  for (;;) {
    epoll_event event{};
    if (epoll_wait(epoll_.get(), &event, 1, -1) < 1) continue;
    const auto* listener = static_cast<Listener*>(event.data.ptr);
    if (listener == nullptr) return;
    const FileDescriptor client(accept4(listener->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) (void)!send(client.get(), &listener->name, 1, MSG_NOSIGNAL);
  }
}

int connect_socket(int fd, int family, const std::string& address, uint16_t port) {
  sockaddr_storage storage{};
  const socklen_t length = fill(&storage, family, address, port);
  return connect(fd, reinterpret_cast<sockaddr*>(&storage), length) == 0 ? 0 : errno;
}

Connection connect_to(const std::string& address, uint16_t port) {
  return connect_family(family_of(address), address, port);
}

Connection connect_v6_socket(const std::string& address, uint16_t port) {
  return connect_family(AF_INET6, address, port);
}

char answer(const Connection& connection) {
  char letter = 0;
  return connection.error == 0 && recv(connection.fd.get(), &letter, 1, MSG_WAITALL) == 1 ? letter : '\0';
}

char ask(const std::string& address, uint16_t port) {
  const Connection connection = connect_to(address, port);
  return connection.error != 0 ? '!' : answer(connection);
}

std::map<char, int> ask_often(const std::string& address, uint16_t port, int count) {
  std::map<char, int> counts;
  for (int i = 0; i < count; ++i) ++counts[ask(address, port)];
  return counts;
}

std::string peer_of(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return std::strerror(errno);
  if (storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    return to_string(IpAddress::from_v4(v4->sin_addr.s_addr), ntohs(v4->sin_port));
  }
  const auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), &v6->sin6_addr, bytes.size());
  return to_string(IpAddress(bytes), ntohs(v6->sin6_port));
}

std::shared_ptr<routing::ServicePlan> make_service(const std::string& name, const std::string& address, uint16_t port,
                                                   const std::vector<Part>& parts) {
  auto service = std::make_shared<routing::ServicePlan>();
  service->service = name;
  service->port = port;
  service->path = routing::Path::kKernel;
  routing::PlanSplit split;
  split.name = name;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].weight == 0) continue;
    routing::PlanDestination destination;
    destination.host = name;
    destination.port = port;
    destination.subset = "v" + std::to_string(i + 1);
    destination.weight = parts[i].weight;
    destination.endpoints = parts[i].endpoints;
    split.destinations.push_back(std::move(destination));
  }
  service->splits.push_back(std::move(split));
  routing::PlanFrontend frontend;
  frontend.address = *IpAddress::parse(address);
  frontend.port = port;
  service->frontends.push_back(frontend);
  return service;
}

routing::Plan make_plan(std::vector<std::shared_ptr<routing::ServicePlan>> services, uint64_t generation) {
  routing::Plan plan;
  plan.generation = generation;
  for (auto& service : services) plan.services.push_back(std::move(service));
  return plan;
}

uint64_t verdict(const Datapath& datapath, const std::string& name) {
  const auto view = datapath.read();
  if (!view) return 0;
  for (const auto& entry : view->verdicts)
    if (entry.name == name) return entry.count;
  return 0;
}

std::optional<SplitView> split_of(const Datapath& datapath, const std::string& name) {
  const auto view = datapath.read();
  if (!view) return std::nullopt;
  for (const auto& split : view->splits)
    if (split.name == name) return split;
  return std::nullopt;
}

}  // namespace weir::datapath::test
