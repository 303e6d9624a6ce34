#include "agent/proxy/launch.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>

#include "proxy_process/privileges.h"

namespace weir::agent {
namespace {

constexpr int kControlFd = 3;
constexpr const char* kDefaultUser = "weir-proxy";

/// N of ".../proxy-N.sock".
std::optional<uint64_t> socket_number(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  constexpr std::string_view kBegin = "proxy-", kEnd = ".sock";
  if (!name.starts_with(kBegin) || !name.ends_with(kEnd) || name.size() <= kBegin.size() + kEnd.size()) return {};
  const char* first = name.data() + kBegin.size();
  const char* last = name.data() + name.size() - kEnd.size();
  uint64_t number = 0;
  const auto [end, problem] = std::from_chars(first, last, number);
  if (problem != std::errc() || end != last) return {};
  return number;
}

std::map<uint64_t, std::string> numbered_sockets(const std::string& run_dir) {
  std::map<uint64_t, std::string> sockets;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(run_dir, failed))
    if (const auto number = socket_number(entry.path())) sockets[*number] = entry.path().string();
  return sockets;
}

/// Bound, not listening: the proxy does that, so that the kernel tells its pid to whoever connects.
Result<FileDescriptor> bind_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Error{"socket path " + path + " is too long", ENAMETOOLONG};
  std::memcpy(address.sun_path, path.data(), path.size());
  FileDescriptor fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error("socket");
  // From its first moment for us alone: a umask would be the whole process's.
  if (::fchmod(fd.get(), 0600) != 0) return errno_error("fchmod of a socket");
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return errno_error("bind " + path);
  if (::chmod(path.c_str(), 0600) != 0) return errno_error("chmod " + path);
  return fd;
}

/// All that the child needs, made before the fork: afterwards only system calls are safe.
struct ChildPlan {
  int control = -1, executable = -1, cgroup_procs = -1, null = -1, report = -1;
  uid_t uid = 0;
  gid_t gid = 0;
  std::array<const char*, 6> arguments{};
  std::vector<const char*> environment;
};

/// Tells the parent what failed and ends.
[[noreturn]] void give_up(const ChildPlan& plan, int error_number) {
  [[maybe_unused]] const ssize_t written = ::write(plan.report, &error_number, sizeof error_number);
  ::_exit(127);
}

[[noreturn]] void become_proxy(const ChildPlan& plan) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setsid();  // a terminal's Ctrl-C is for the agent
  if (plan.cgroup_procs >= 0 && ::write(plan.cgroup_procs, "0", 1) != 1) give_up(plan, errno);
  if (::dup2(plan.null, STDIN_FILENO) < 0 || ::dup2(plan.null, STDOUT_FILENO) < 0) give_up(plan, errno);
  if (::dup2(plan.control, kControlFd) < 0) give_up(plan, errno);
  // Ours close by themselves; those that whoever started us left open do too (before 5.11 they stay).
  ::syscall(SYS_close_range, kControlFd + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  proxy_process::offer_to_oom_killer();
  if (const int failed = proxy_process::drop_privileges(plan.uid, plan.gid); failed != 0) give_up(plan, failed);
  ::execveat(plan.executable, "", const_cast<char* const*>(plan.arguments.data()),
             const_cast<char* const*>(plan.environment.data()), AT_EMPTY_PATH);
  give_up(plan, errno);
}

/// A descriptor that dup2() to kControlFd cannot hit.
Result<FileDescriptor> moved_up(FileDescriptor fd) {
  constexpr int kAbove = 10;
  FileDescriptor moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kAbove));
  if (!moved) return errno_error("duplicate a descriptor");
  return moved;
}

Result<FileDescriptor> open_up(const std::string& path, int flags) {
  FileDescriptor fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd) return errno_error("open " + path);
  return moved_up(std::move(fd));
}

/// Whether exec worked: its end closes the pipe without a word.
Result<void> wait_for_exec(FileDescriptor report, pid_t pid) {
  int error_number = 0;
  ssize_t count = 0;
  do count = ::read(report.get(), &error_number, sizeof error_number);
  while (count < 0 && errno == EINTR);
  if (count == 0) return {};
  ::waitpid(pid, nullptr, 0);
  return errno_error("start the proxy", error_number);
}

Result<pid_t> fork_proxy(const ProxyLaunch& launch, FileDescriptor control) {
  ChildPlan plan;
  auto executable = open_up(launch.executable, O_PATH);
  if (!executable) return std::move(executable).error();
  auto null = open_up("/dev/null", O_RDWR);
  if (!null) return std::move(null).error();
  auto socket = moved_up(std::move(control));
  if (!socket) return std::move(socket).error();
  FileDescriptor cgroup;
  if (!launch.cgroup_dir.empty()) {
    auto procs = open_up(launch.cgroup_dir + "/cgroup.procs", O_WRONLY);
    if (!procs) return std::move(procs).error();
    cgroup = std::move(*procs);
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe");
  FileDescriptor report(ends[0]);
  auto reporter = moved_up(FileDescriptor(ends[1]));
  if (!reporter) return std::move(reporter).error();
  const std::string uid = std::to_string(::geteuid()), fd = std::to_string(kControlFd);
  plan.arguments = {"weir-proxy", "proxy", "--agent-uid", uid.c_str(), nullptr, nullptr};
  for (const char* name : {"TZ", "JOURNAL_STREAM"})
    if (const char* value = std::getenv(name)) plan.environment.push_back(value - std::strlen(name) - 1);
  plan.environment.push_back(nullptr);
  plan.control = socket->get();
  plan.executable = executable->get();
  plan.cgroup_procs = cgroup.get();
  plan.null = null->get();
  plan.report = reporter->get();
  plan.uid = launch.uid;
  plan.gid = launch.gid;
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork");
  if (pid == 0) become_proxy(plan);
  reporter->reset();
  WEIR_TRY(wait_for_exec(std::move(report), pid));
  return pid;
}

}  // namespace

Result<UserIds> proxy_user_ids(const std::string& user) {
  errno = 0;
  const passwd* entry = ::getpwnam(user.empty() ? kDefaultUser : user.c_str());
  if (entry != nullptr) return UserIds{entry->pw_uid, entry->pw_gid};
  if (user.empty()) return UserIds{};
  return Error{"there is no user \"" + user + "\" for the proxy", ENOENT};
}

std::vector<std::string> proxy_sockets(const std::string& run_dir) {
  std::vector<std::string> paths;
  for (auto& [number, path] : numbered_sockets(run_dir)) paths.push_back(path);
  return paths;
}

Result<LaunchedProxy> launch_proxy(const ProxyLaunch& launch) {
  if (launch.uid == 0) return Error{"the proxy does not run as root; name another user", EINVAL};
  const auto taken = numbered_sockets(launch.run_dir);
  const uint64_t number = taken.empty() ? 1 : taken.rbegin()->first + 1;
  LaunchedProxy launched;
  launched.socket_path = launch.run_dir + "/proxy-" + std::to_string(number) + ".sock";
  auto control = bind_socket(launched.socket_path);
  if (!control) return std::move(control).error();
  const auto pid = fork_proxy(launch, std::move(*control));
  if (!pid) {
    ::unlink(launched.socket_path.c_str());
    return pid.error();
  }
  launched.pid = *pid;
  return launched;
}

}  // namespace weir::agent
