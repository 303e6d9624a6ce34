#include "admin/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file_descriptor.h"

namespace weir::admin {
namespace {

class StreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    near_.reset(fds[0]);
    far_.reset(fds[1]);
  }
  FileDescriptor near_, far_;
};

TEST_F(StreamTest, ReadsWhatWasSentInSmallPieces) {
  ASSERT_EQ(::send(far_.get(), "abc", 3, 0), 3);
  UnixStream stream(near_.get(), std::chrono::seconds(10));
  char byte = 0;
  EXPECT_EQ(stream.read(&byte, 1), 1);
  EXPECT_EQ(byte, 'a');
  EXPECT_TRUE(stream.is_readable());
  char two[2];
  EXPECT_EQ(stream.read(two, 2), 2);
  EXPECT_EQ(two[1], 'c');
}

TEST_F(StreamTest, EndsAtTheDeadline) {
  UnixStream stream(near_.get(), std::chrono::milliseconds(20));
  char byte = 0;
  EXPECT_EQ(stream.read(&byte, 1), -1);
  EXPECT_FALSE(stream.is_readable());
}

TEST_F(StreamTest, ReadAtTheEndIsZero) {
  far_.reset();
  UnixStream stream(near_.get(), std::chrono::seconds(10));
  char byte = 0;
  EXPECT_EQ(stream.read(&byte, 1), 0);
}

TEST_F(StreamTest, WriteToAGonePeerIsAnErrorAndNoSignal) {
  far_.reset();
  UnixStream stream(near_.get(), std::chrono::seconds(10));
  EXPECT_EQ(stream.write("x", 1), -1);
}

TEST_F(StreamTest, WriteToAPeerThatDoesNotReadEndsAtTheDeadline) {
  UnixStream stream(near_.get(), std::chrono::milliseconds(20));
  const std::string block(1U << 20, 'x');
  ssize_t count = 0;
  do count = stream.write(block.data(), block.size());
  while (count > 0);
  EXPECT_EQ(count, -1);
}

TEST_F(StreamTest, FinishTakesTheRestAndEnds) {
  ASSERT_EQ(::send(far_.get(), "rest", 4, 0), 4);
  ::shutdown(far_.get(), SHUT_WR);
  UnixStream stream(near_.get(), std::chrono::seconds(10));
  stream.finish();
  char byte = 0;
  EXPECT_EQ(::recv(far_.get(), &byte, 1, 0), 0);
}

TEST_F(StreamTest, HasNoAddress) {
  const UnixStream stream(near_.get(), std::chrono::seconds(1));
  std::string ip;
  int port = -1;
  stream.get_remote_ip_and_port(ip, port);
  EXPECT_EQ(ip, "unix");
  stream.get_local_ip_and_port(ip, port);
  EXPECT_EQ(port, 0);
}

}  // namespace
}  // namespace weir::admin
