// Each forbidden call is tried in a child of its own: some of them end it.

#include "proxy_process/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "child.h"
#include "net/loop.h"
#include "proxy_process/memory_file.h"

namespace weir::proxy_process {
namespace {

using test::first_failure;
using test::in_child;
using test::in_child_without_rights;

int in_sandbox(const std::function<int()>& work) {
  return in_child_without_rights([&work] { return enter_sandbox() ? work() : 98; });
}

class Sandbox : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

struct Call {
  const char* name;
  std::function<long()> make;
};

class Forbidden : public ::testing::TestWithParam<Call> {};

TEST_P(Forbidden, FailsWithEpermOrEndsTheProcess) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto& call = GetParam().make;
  const int status = in_sandbox([&call] { return call() == -1 && errno == EPERM ? 0 : 1; });
  const bool ended = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
  EXPECT_TRUE(ended || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << GetParam().name << ": status " << status;
}

constexpr char kPath[] = "/tmp/weir-sandbox-test";
char* const kNothing[] = {nullptr};

INSTANTIATE_TEST_SUITE_P(
    Calls, Forbidden,
    ::testing::Values(
        Call{"execve", [] { return long{::execve("/bin/true", kNothing, kNothing)}; }},
        Call{"execveat", [] { return ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0); }},
        Call{"fork", [] { return ::syscall(SYS_fork); }}, Call{"vfork", [] { return ::syscall(SYS_vfork); }},
        Call{"clone", [] { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); }},
        Call{"ptrace", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
        Call{"bpf", [] { return ::syscall(SYS_bpf, BPF_MAP_CREATE, nullptr, 0); }},
        Call{"open_write", [] { return long{::open(kPath, O_WRONLY | O_CREAT, 0600)}; }},
        Call{"open_read", [] { return long{::open("/etc/passwd", O_RDONLY)}; }},
        Call{"openat2", [] { return ::syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", nullptr, 0); }},
        Call{"creat", [] { return long{::creat(kPath, 0600)}; }},
        Call{"netlink", [] { return long{::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)}; }},
        Call{"packet", [] { return long{::socket(AF_PACKET, SOCK_RAW, 0)}; }},
        Call{"alg", [] { return long{::socket(AF_ALG, SOCK_SEQPACKET, 0)}; }},
        Call{"unix", [] { return long{::socket(AF_UNIX, SOCK_STREAM, 0)}; }},
        Call{"udp", [] { return long{::socket(AF_INET, SOCK_DGRAM, 0)}; }},
        Call{"raw", [] { return long{::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)}; }},
        Call{"bind", [] { return long{::bind(0, nullptr, 0)}; }}, Call{"listen", [] { return long{::listen(0, 1)}; }},
        Call{"mount", [] { return long{::mount("x", "/mnt", "tmpfs", 0, nullptr)}; }},
        Call{"unlink", [] { return long{::unlink("/tmp/weir-not-there")}; }},
        Call{"rename", [] { return long{::rename("/tmp/weir-a", "/tmp/weir-b")}; }},
        Call{"mkdir", [] { return long{::mkdir(kPath, 0700)}; }},
        Call{"chmod", [] { return long{::chmod("/tmp/weir-not-there", 0700)}; }},
        Call{"stat",
             [] {
               struct stat file {};
               return long{::stat("/etc/passwd", &file)};
             }},
        Call{"readlink",
             [] {
               char text[8];
               return long{::readlink("/proc/self/exe", text, 8)};
             }},
        Call{"kill", [] { return long{::kill(1, 0)}; }}, Call{"tgkill", [] { return ::syscall(SYS_tgkill, 1, 1, 0); }},
        Call{"setuid", [] { return long{::setuid(0)}; }}, Call{"setns", [] { return ::syscall(SYS_setns, 0, 0); }},
        Call{"unshare", [] { return ::syscall(SYS_unshare, 0x10000000); }},
        Call{"setrlimit",
             [] {
               const rlimit l{1, 1};
               return long{::setrlimit(RLIMIT_NOFILE, &l)};
             }},
        Call{"mmap_exec",
             [] {
               return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                          ? -1L
                          : 0L;
             }},
        Call{"mprotect_exec",
             [] {
               void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
               return long{::mprotect(page, 4096, PROT_READ | PROT_EXEC)};
             }},
        Call{"process_vm_readv", [] { return ::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0); }},
        Call{"perf", [] { return ::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0); }},
        Call{"userfaultfd", [] { return ::syscall(SYS_userfaultfd, 0); }},
        Call{"keyctl", [] { return ::syscall(SYS_keyctl, 0, 0, 0, 0, 0); }},
        Call{"module", [] { return ::syscall(SYS_finit_module, -1, "", 0); }}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_F(Sandbox, IsNotEnteredWithRights) {
  EXPECT_EXIT_OK(in_child([] { return enter_sandbox() ? 1 : 0; }));
}

TEST_F(Sandbox, LeavesNoDumpBehind) {
  EXPECT_EXIT_OK(in_sandbox([] {
    rlimit limit{};
    return first_failure({::getrlimit(RLIMIT_CORE, &limit) == 0, limit.rlim_max == 0});
  }));
}

TEST_F(Sandbox, ThreadsMemoryAndClocksWork) {
  EXPECT_EXIT_OK(in_sandbox([] {
    int ran = 0;
    std::thread([&ran] { ran = 1; }).join();
    std::vector<char> much(64 << 20);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto memory = make_memory_file("x");
    return first_failure({ran == 1, much.size() > 1, memory.has_value(), memory && read_memory_file(memory->get(), 1)});
  }));
}

/// Connects to itself through the loop and sends a byte each way.
struct Echo final : net::StreamHandler, net::AcceptHandler {
  explicit Echo(net::Loop& the_loop) : loop(the_loop) {}
  size_t on_data(std::string_view bytes) override {
    got += bytes.size();
    if (got == 1) accepted.write("y");
    return bytes.size();
  }
  void on_connected() override { client.write("x"); }
  void on_accept(FileDescriptor fd) override { accepted = loop.adopt(std::move(fd), *this); }
  void on_eof() override {}
  void on_write_failed(int) override {}
  void on_error(int) override {}
  net::Loop& loop;
  net::Stream client, accepted;
  size_t got = 0;
};

int carry(net::LoopKind kind, bool forbid) {
  // The socket is the agent's: bound before.
  auto listener = net::listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
  if (!listener) return 40;
  const auto address = net::local_address(listener->get());
  if (drop_privileges(test::kNobody, test::kNobody) != 0 || !enter_sandbox()) return 41;
  int code = 42;
  std::thread([&] {
    std::string why;
    auto loop = net::make_loop(kind, &why);
    if (!loop) return;
    const std::string_view wanted = kind == net::LoopKind::kEpoll ? "epoll" : "io_uring";
    if ((*loop)->name() != wanted) return;
    if (forbid && !forbid_new_rings()) return;
    Echo echo(**loop);
    (*loop)->add_listener(std::move(*listener), echo);
    auto stream = (*loop)->connect(*address, echo);
    if (!stream) return;
    echo.client = *stream;
    for (int turn = 0; turn < 200 && echo.got < 2; ++turn) (*loop)->run_once(std::chrono::milliseconds(20));
    code = echo.got == 2 ? 0 : 43;
  }).join();
  if (code == 0 && forbid && ::syscall(SYS_io_uring_setup, 1, nullptr) != -1) return 44;
  return code == 0 && forbid && errno != EPERM ? 45 : code;
}

TEST_F(Sandbox, RequestsAreCarriedByEpoll) {
  EXPECT_EXIT_OK(in_child([] { return carry(net::LoopKind::kEpoll, true); }));
}

TEST_F(Sandbox, RequestsAreCarriedByIoUring) {
  std::string why;
  if (const auto loop = net::make_loop(net::LoopKind::kUring, &why); !loop) GTEST_SKIP() << loop.error().message;
  EXPECT_EXIT_OK(in_child([] { return carry(net::LoopKind::kUring, true); }));
}

}  // namespace
}  // namespace weir::proxy_process
