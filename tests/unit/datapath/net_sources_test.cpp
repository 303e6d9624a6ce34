// Finding the network namespaces of a node: one is made, given an address, and found.

#include "datapath/net_sources.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/file_descriptor.h"

namespace weir::datapath::test {
namespace {

/// A child in a network namespace of its own whose loopback also has 10.77.0.1; dies when its pipe closes.
class Pod {
 public:
  Pod() {
    int ready[2], stop[2];
    if (pipe2(ready, O_CLOEXEC) != 0 || pipe2(stop, O_CLOEXEC) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      close(stop[1]);
      const char done = unshare(CLONE_NEWNET) == 0 && add_address() ? 1 : 0;
      (void)!write(ready[1], &done, 1);
      char byte = 0;
      (void)!read(stop[0], &byte, 1);
      _exit(0);
    }
    close(ready[1]);
    close(stop[0]);
    stop_.reset(stop[1]);
    const FileDescriptor answer(ready[0]);
    char done = 0;
    ok = read(answer.get(), &done, 1) == 1 && done == 1;
    struct stat info {};
    const std::string path = "/proc/" + std::to_string(pid_) + "/ns/net";
    if (ok && stat(path.c_str(), &info) == 0) inode = info.st_ino;
  }
  ~Pod() {
    stop_.reset();
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  Pod(const Pod&) = delete;
  Pod& operator=(const Pod&) = delete;

  bool ok = false;
  uint64_t inode = 0;

 private:
  static bool add_address() {
    const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo:1");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x0a4d0001);
    std::memcpy(&request.ifr_addr, &address, sizeof(address));
    return ioctl(fd.get(), SIOCSIFADDR, &request) == 0;
  }

  pid_t pid_ = -1;
  FileDescriptor stop_;
};

TEST(NetSources, FindsAPodByItsAddress) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const Pod pod;
  if (!pod.ok) GTEST_SKIP() << "cannot make a network namespace";
  const auto found = find_net_namespaces();
  ASSERT_TRUE(found) << found.error().message;
  const auto own = std::find_if(found->begin(), found->end(), [](const auto& entry) { return entry.own; });
  const auto other =
      std::find_if(found->begin(), found->end(), [&](const auto& entry) { return entry.inode == pod.inode; });
  ASSERT_NE(own, found->end());
  ASSERT_NE(other, found->end());
  EXPECT_EQ(other->error, "");
  EXPECT_FALSE(other->own);
  EXPECT_NE(other->cookie, 0U);
  EXPECT_NE(other->cookie, own->cookie);
  EXPECT_EQ(other->addresses, (std::vector<IpAddress>{*IpAddress::parse("10.77.0.1")}));
}

TEST(NetSources, EachOnceThoughManyProcessesAreInIt) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto found = find_net_namespaces();
  ASSERT_TRUE(found);
  for (size_t i = 1; i < found->size(); ++i) EXPECT_LT((*found)[i - 1].inode, (*found)[i].inode);
  EXPECT_EQ(std::count_if(found->begin(), found->end(), [](const auto& entry) { return entry.own; }), 1);
}

TEST(NetSources, AFolderThatIsNotThere) {
  const auto found = find_net_namespaces("/no/such/proc", "/no/such/netns");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message, "list /no/such/proc: No such file or directory");
}

TEST(NetSources, WhatIsNoNamespaceIsSaid) {
  char folder[] = "/tmp/weir_netns_XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string file = std::string(folder) + "/leftover";
  close(open(file.c_str(), O_CREAT | O_WRONLY, 0600));
  const auto found = find_net_namespaces(folder, folder);
  unlink(file.c_str());
  rmdir(folder);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_NE((*found)[0].error.find("enter the network namespace: "), std::string::npos);
  EXPECT_EQ((*found)[0].cookie, 0U);
}

}  // namespace
}  // namespace weir::datapath::test
