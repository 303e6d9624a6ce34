#include "agent/proxy/uninstall.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <thread>
#include <vector>

#include "agent/proxy/cgroup.h"
#include "agent/proxy/launch.h"
#include "agent/proxy/link.h"

namespace weir::agent {
namespace {

using namespace std::chrono_literals;

bool wait_for_end(const ProxyLink& link, ProxyLink::Clock::time_point deadline) {
  while (ProxyLink::Clock::now() < deadline) {
    pollfd entry{link.pidfd(), POLLIN, 0};
    if (::poll(&entry, 1, 50) == 1) return true;
  }
  return link.ended();
}

/// The last process may still be on its way out.
void remove_cgroup(const std::string& dir) {
  for (int tries = 0; tries < 100 && ::rmdir(dir.c_str()) != 0 && errno == EBUSY; ++tries)
    std::this_thread::sleep_for(10ms);
}

}  // namespace

size_t end_proxies(const std::string& run_dir, const std::string& hook_cgroup, std::chrono::milliseconds patience) {
  std::vector<std::unique_ptr<ProxyLink>> links;
  for (const auto& path : proxy_sockets(run_dir)) {
    auto link = ProxyLink::connect(path, 0ms);
    if (!link) {
      ::unlink(path.c_str());
      continue;
    }
    if (!(*link)->drain(patience, 500ms)) (*link)->kill();
    links.push_back(std::move(*link));
  }
  const auto deadline = ProxyLink::Clock::now() + patience;
  for (const auto& link : links) {
    if (!wait_for_end(*link, deadline)) link->kill();
    wait_for_end(*link, ProxyLink::Clock::now() + 2s);
    ::unlink(link->socket_path().c_str());
  }
  if (!hook_cgroup.empty()) remove_cgroup(proxy_cgroup_dir(hook_cgroup));
  return links.size();
}

}  // namespace weir::agent
