#include "agent/node/netns_scan.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/file_descriptor.h"

namespace weir::agent {
namespace {

/// Another process in a network namespace of its own whose loopback has the address 198.51.100.N.
class OtherNamespace {
 public:
  explicit OtherNamespace(uint8_t last) {
    int ready[2], end[2];
    if (::pipe(ready) != 0 || ::pipe(end) != 0) return;
    child_ = ::fork();
    if (child_ == 0) {
      ::close(end[1]);
      const char good = set_up(last) ? 'y' : 'n';
      (void)!::write(ready[1], &good, 1);
      char byte = 0;
      (void)!::read(end[0], &byte, 1);  // until the parent closes its end
      ::_exit(0);
    }
    ::close(end[0]);
    end_.reset(end[1]);
    char good = 'n';
    (void)!::read(ready[0], &good, 1);
    ok_ = good == 'y';
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~OtherNamespace() {
    end_.reset();
    if (child_ > 0) ::waitpid(child_, nullptr, 0);
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  static bool set_up(uint8_t last) {
    if (::unshare(CLONE_NEWNET) != 0) return false;
    const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    const uint8_t bytes[4] = {198, 51, 100, last};
    std::memcpy(&address.sin_addr, bytes, 4);
    std::memcpy(&request.ifr_addr, &address, sizeof(address));
    return ::ioctl(socket.get(), SIOCSIFADDR, &request) == 0;
  }
  pid_t child_ = -1;
  FileDescriptor end_;
  bool ok_ = false;
};

/// On a thread of its own, as the agent does.
Result<NetnsScan> scan() {
  Result<NetnsScan> result = Error{"not run"};
  std::thread([&] { result = scan_network_namespaces(); }).join();
  return result;
}

TEST(NetnsScan, FindsTheAddressOfAnotherNamespace) {
  const OtherNamespace other(7);
  if (!other.ok()) GTEST_SKIP() << "no right to make a network namespace";
  const auto found = scan();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_GE(found->namespaces, 1U);
  ASSERT_TRUE(found->cookie_of.contains(*IpAddress::parse("198.51.100.7")));
  EXPECT_NE(found->cookie_of.at(*IpAddress::parse("198.51.100.7")), 0U);
}

TEST(NetnsScan, TwoNamespacesHaveTwoCookies) {
  const OtherNamespace a(8), b(9);
  if (!a.ok() || !b.ok()) GTEST_SKIP() << "no right to make a network namespace";
  const auto found = scan();
  ASSERT_TRUE(found);
  EXPECT_NE(found->cookie_of.at(*IpAddress::parse("198.51.100.8")),
            found->cookie_of.at(*IpAddress::parse("198.51.100.9")));
}

TEST(NetnsScan, AddressOfTwoNamespacesTellsNobodyApart) {
  const OtherNamespace a(10), b(10);
  if (!a.ok() || !b.ok()) GTEST_SKIP() << "no right to make a network namespace";
  EXPECT_FALSE(scan()->cookie_of.contains(*IpAddress::parse("198.51.100.10")));
}

TEST(NetnsScan, GoneNamespaceIsGone) {
  {
    const OtherNamespace other(11);
    if (!other.ok()) GTEST_SKIP() << "no right to make a network namespace";
  }
  EXPECT_FALSE(scan()->cookie_of.contains(*IpAddress::parse("198.51.100.11")));
}

TEST(NetnsScan, LoopbackIsLeftOut) {
  const auto found = scan();
  ASSERT_TRUE(found);
  for (const auto& [address, cookie] : found->cookie_of) EXPECT_FALSE(address.is_loopback());
}

}  // namespace
}  // namespace weir::agent
