#pragma once
// A cgroup, a network namespace and a bpffs of the test's own, servers that say their name, and clients: live tests
// touch nothing else on the machine.

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/file_descriptor.h"
#include "base/ip_address.h"
#include "datapath/datapath.h"
#include "routing/plan/plan.h"

namespace weir::datapath::test {

/// While it lives, this process is in a cgroup and this thread in a network namespace of its own, with loopback only.
/// Where that cannot be had (no root, no cgroup2) `missing()` says why.
class Sandbox {
 public:
  Sandbox();
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  [[nodiscard]] const std::string& missing() const { return missing_; }
  [[nodiscard]] const std::string& cgroup() const { return cgroup_; }
  [[nodiscard]] std::string bpffs_dir() const { return mount_ + "/weir"; }
  /// Small maps, this cgroup, this bpffs.
  [[nodiscard]] Options options() const;

 private:
  void enter_netns();

  std::string missing_, cgroup_, mount_, home_cgroup_;
  FileDescriptor home_netns_;
};

/// Listens on loopback and answers each connection with one letter.
class Servers {
 public:
  Servers();
  ~Servers();
  /// Starts a server called `name`; gives its address.
  routing::PlanEndpoint start(char name, const std::string& address = "127.0.0.1");

 private:
  void run();
  struct Listener {
    FileDescriptor fd;
    char name;
  };
  FileDescriptor epoll_, stop_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::thread thread_;
};

/// A connected TCP socket, or the errno of connect().
struct Connection {
  FileDescriptor fd;
  int error = 0;
};
Connection connect_to(const std::string& address, uint16_t port);
/// On an AF_INET6 socket: a v4 address is dialled as ::ffff:a.b.c.d.
Connection connect_v6_socket(const std::string& address, uint16_t port);
int connect_socket(int fd, int family, const std::string& address, uint16_t port);
/// The letter that the server sends; 0 when none comes.
char answer(const Connection& connection);
/// Connects, reads the letter, closes; '!' when refused.
char ask(const std::string& address, uint16_t port);
/// How often each letter answered in `count` connections.
std::map<char, int> ask_often(const std::string& address, uint16_t port, int count);
/// "10.0.0.1:80" as getpeername() says.
std::string peer_of(int fd);

struct Part {
  uint64_t weight = 1;
  std::vector<routing::PlanEndpoint> endpoints;
};
/// One service at `address`:`port` that splits between `parts` (subsets v1, v2, ...).
std::shared_ptr<routing::ServicePlan> make_service(const std::string& name, const std::string& address, uint16_t port,
                                                   const std::vector<Part>& parts);
routing::Plan make_plan(std::vector<std::shared_ptr<routing::ServicePlan>> services, uint64_t generation = 1);

/// Count of the verdict `name`.
uint64_t verdict(const Datapath& datapath, const std::string& name);
/// The split called `name` (service name of make_service).
std::optional<SplitView> split_of(const Datapath& datapath, const std::string& name);

}  // namespace weir::datapath::test
