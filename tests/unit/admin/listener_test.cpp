#include "admin/listener.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "tests/unit/support/temp_dir.h"

namespace weir::admin {
namespace {

TEST(Listener, EmptyPath) {
  EXPECT_EQ(listen_unix("").error().code, ENAMETOOLONG);
  EXPECT_EQ(connect_unix("").error().code, ENAMETOOLONG);
}

TEST(Listener, LiveSocketIsNotTaken) {
  const test::TempDir dir;
  const auto first = listen_unix(dir.file("s"));
  ASSERT_TRUE(first);
  EXPECT_EQ(listen_unix(dir.file("s")).error().code, EADDRINUSE);
}

TEST(Listener, DirectoryIsNotTaken) {
  const test::TempDir dir;
  EXPECT_EQ(listen_unix(dir.path().string()).error().code, EEXIST);
}

TEST(Listener, PeerOfAConnection) {
  const test::TempDir dir;
  const auto listener = listen_unix(dir.file("s"));
  const auto client = connect_unix(dir.file("s"));
  ASSERT_TRUE(client);
  const FileDescriptor accepted(::accept(listener->get(), nullptr, nullptr));
  const auto peer = peer_of(accepted.get());
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->pid, ::getpid());
  EXPECT_EQ(peer->uid, ::geteuid());
}

TEST(Listener, PeerOfNoSocket) {
  EXPECT_FALSE(peer_of(-1));
}

}  // namespace
}  // namespace weir::admin
