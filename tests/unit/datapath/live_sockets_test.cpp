// Sockets are found by their cookies, in whichever network namespace they are.

#include "datapath/live_sockets.h"

#include <sys/wait.h>

#include <chrono>

#include "proxy_fixture.h"

namespace weir::datapath::test {
namespace {

uint64_t cookie_of(int fd) {
  uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length);
  return cookie;
}

using LiveSocketsTest = LiveTest;

TEST_F(LiveSocketsTest, ConnectedSocketsOfBothFamiliesAndMptcp) {
  const auto four = servers.start('a'), six = servers.start('b', "::1");
  const Connection v4 = connect_to("127.0.0.1", four.port), v6 = connect_to("::1", six.port);
  ASSERT_EQ(v4.error + v6.error, 0);
  uint64_t gone = 0;
  {
    const Connection brief = connect_to("127.0.0.1", four.port);
    gone = cookie_of(brief.fd.get());
    EXPECT_EQ(answer(brief), 'a');
  }
  auto cookies = live_socket_cookies();
  // A socket lives on without its owner until the other end has closed, too.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (cookies && cookies->contains(gone) && std::chrono::steady_clock::now() < deadline)
    cookies = live_socket_cookies();
  ASSERT_TRUE(cookies) << cookies.error().message;
  EXPECT_TRUE(cookies->contains(cookie_of(v4.fd.get())));
  EXPECT_TRUE(cookies->contains(cookie_of(v6.fd.get())));
  EXPECT_FALSE(cookies->contains(gone));
}

// A process in a namespace of its own that nobody has a name for.
TEST_F(LiveSocketsTest, OtherNetworkNamespaces) {
  int from_child[2], to_child[2];
  ASSERT_EQ(pipe(from_child) + pipe(to_child), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(to_child[1]);
    uint64_t cookie = 0;
    if (unshare(CLONE_NEWNET) == 0 && std::system("ip link set lo up") == 0) {
      static const Listeners listeners(1);
      sockaddr_in6 own{};
      socklen_t length = sizeof(own);
      getsockname(listeners.fds()[0], reinterpret_cast<sockaddr*>(&own), &length);
      static const Connection connection = connect_to("::1", ntohs(own.sin6_port));
      if (connection.error == 0) cookie = cookie_of(connection.fd.get());
    }
    (void)!write(from_child[1], &cookie, sizeof(cookie));
    char byte = 0;
    (void)!read(to_child[0], &byte, 1);  // until the parent has looked
    _exit(0);
  }
  uint64_t cookie = 0;
  ASSERT_EQ(read(from_child[0], &cookie, sizeof(cookie)), static_cast<ssize_t>(sizeof(cookie)));
  EXPECT_NE(cookie, 0U);
  const auto cookies = live_socket_cookies();
  for (const int fd : {to_child[0], to_child[1], from_child[0], from_child[1]}) close(fd);
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(cookies) << cookies.error().message;
  EXPECT_TRUE(cookies->contains(cookie));
}

TEST_F(LiveSocketsTest, WhereProcessesCannotBeListedNothingIsConcluded) {
  const auto cookies = live_socket_cookies("/no/such/proc", "/no/such/netns");
  ASSERT_FALSE(cookies);
  EXPECT_NE(cookies.error().message.find("list /no/such/proc"), std::string::npos) << cookies.error().message;
}

// Half a list would make live sockets dead ones.
TEST_F(LiveSocketsTest, ANamespaceThatCannotBeEnteredIsAnError) {
  const std::string folder = ::testing::TempDir() + "/netns_of_" + std::to_string(getpid());
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  const std::string name = folder + "/broken";
  FileDescriptor(open(name.c_str(), O_CREAT | O_CLOEXEC | O_WRONLY, 0600));
  const auto cookies = live_socket_cookies(folder, folder);
  unlink(name.c_str());
  rmdir(folder.c_str());
  ASSERT_FALSE(cookies);
  EXPECT_NE(cookies.error().message.find("enter the network namespace"), std::string::npos) << cookies.error().message;
}

}  // namespace
}  // namespace weir::datapath::test
