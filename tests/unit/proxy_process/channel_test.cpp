#include "proxy_process/channel.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <random>

#include "proxy_process/memory_file.h"

namespace weir::proxy_process {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

size_t open_descriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

class ChannelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    raw_ = FileDescriptor(::fcntl(ends[0], F_DUPFD_CLOEXEC, 0));
    a_.emplace(FileDescriptor(ends[0]), ChannelLimits{4, 1 << 20});
    b_.emplace(FileDescriptor(ends[1]), ChannelLimits{4, 1 << 20});
  }
  static Channel::Clock::time_point soon() { return Channel::Clock::now() + 2s; }

  /// One datagram as an attacker writes it.
  void send_raw(std::string_view bytes, const std::vector<int>& fds = {}) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    std::vector<char> control(CMSG_SPACE(sizeof(int) * std::max<size_t>(fds.size(), 1)));
    if (!fds.empty()) {
      header.msg_control = control.data();
      header.msg_controllen = control.size();
      cmsghdr* head = CMSG_FIRSTHDR(&header);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
      std::memcpy(CMSG_DATA(head), fds.data(), sizeof(int) * fds.size());
    }
    ASSERT_GE(::sendmsg(raw_.get(), &header, MSG_NOSIGNAL), 0);
  }
  void close_a() {
    a_.reset();
    raw_.reset();
  }
  std::string bytes_of(const Enclosed& enclosed) { return *to_bytes({"hello", 1, Json::object()}, enclosed); }

  FileDescriptor raw_;
  std::optional<Channel> a_, b_;
};

TEST_F(ChannelTest, CarriesMessageDescriptorsAndBulk) {
  const std::string blob(300'000, 'b');
  const FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::vector<int> fds = {null.get(), STDERR_FILENO};
  ASSERT_TRUE(a_->send({"start", 9, {{"x", 1}}}, soon(), fds, blob));
  auto packet = b_->receive(soon());
  ASSERT_TRUE(packet && *packet) << packet.error().message;
  EXPECT_EQ((*packet)->message.type, "start");
  EXPECT_EQ((*packet)->message.id, 9U);
  EXPECT_EQ((*packet)->blob, blob);
  ASSERT_EQ((*packet)->fds.size(), 2U);
  EXPECT_NE(::fcntl((*packet)->fds[0].get(), F_GETFD) & FD_CLOEXEC, 0) << "must not leak into programs";
}

TEST_F(ChannelTest, NothingCameIsNoError) {
  const auto before = Channel::Clock::now();
  const auto packet = b_->receive(before + 20ms);
  ASSERT_TRUE(packet);
  EXPECT_FALSE(*packet);
  EXPECT_GE(Channel::Clock::now() - before, 20ms);
}

TEST_F(ChannelTest, TheEndOfTheOtherIsTold) {
  close_a();
  EXPECT_EQ(b_->receive(soon()).error().code, EPIPE);
  EXPECT_EQ(b_->send({"hello", 1, {}}, soon()).error().code, EPIPE);
}

TEST_F(ChannelTest, AnOtherThatDoesNotReadIsNotWaitedForLonger) {
  Result<void> sent;
  const auto before = Channel::Clock::now();
  for (int i = 0; i < 10'000 && sent; ++i)
    sent = a_->send({"hello", 1, {{"text", std::string(20'000, 'x')}}}, Channel::Clock::now() + 30ms);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ETIMEDOUT);
  EXPECT_LT(Channel::Clock::now() - before, 5s);
}

TEST_F(ChannelTest, GarbageIsRefused) {
  std::minstd_rand dice(1);
  for (int round = 0; round < 500; ++round) {
    std::string bytes(1 + dice() % 200, '\0');
    for (char& c : bytes) c = static_cast<char>(dice());
    if (round % 2 == 0) bytes.insert(0, "WPX1");
    send_raw(bytes);
    EXPECT_FALSE(b_->receive(soon()));
  }
}

TEST_F(ChannelTest, AnOversizeDatagramIsRefused) {
  send_raw(std::string(kMaxMessageBytes + 1, 'x'));
  EXPECT_EQ(b_->receive(soon()).error().code, EMSGSIZE);
}

TEST_F(ChannelTest, AnEmptyDatagramIsRefused) {
  send_raw("");
  EXPECT_FALSE(b_->receive(soon()));
}

TEST_F(ChannelTest, ACutOffMessageIsRefused) {
  const std::string whole = bytes_of({});
  for (size_t size = 1; size < whole.size(); size += 7) {
    send_raw(whole.substr(0, size));
    EXPECT_FALSE(b_->receive(soon())) << size;
  }
}

TEST_F(ChannelTest, OtherDescriptorsThanNamedAreRefusedAndClosed) {
  const FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const size_t before = open_descriptors();
  send_raw(bytes_of({2, 0}), {null.get()});  // fewer
  EXPECT_THAT(b_->receive(soon()).error().message, HasSubstr("descriptors"));
  send_raw(bytes_of({0, 0}), {null.get()});  // more
  EXPECT_FALSE(b_->receive(soon()));
  send_raw(bytes_of({0, 10}));  // no memory file
  EXPECT_FALSE(b_->receive(soon()));
  send_raw(bytes_of({5, 0}), std::vector<int>(5, null.get()));  // over the limit
  EXPECT_EQ(b_->receive(soon()).error().code, EMSGSIZE);
  send_raw(bytes_of({1, 0}), std::vector<int>(200, null.get()));  // more than there is room for
  EXPECT_FALSE(b_->receive(soon()));
  EXPECT_EQ(open_descriptors(), before) << "none of them may leak";
}

TEST_F(ChannelTest, BulkThatIsNoSealedMemoryIsRefused) {
  const FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  send_raw(bytes_of({0, 10}), {null.get()});
  EXPECT_FALSE(b_->receive(soon()));
  const FileDescriptor loose(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::write(loose.get(), "0123456789", 10), 10);
  send_raw(bytes_of({0, 10}), {loose.get()});
  EXPECT_THAT(b_->receive(soon()).error().message, HasSubstr("not sealed"));
  const auto sealed = make_memory_file("0123456789");
  send_raw(bytes_of({0, 11}), {sealed->get()});
  EXPECT_THAT(b_->receive(soon()).error().message, HasSubstr("another size"));
  send_raw(bytes_of({0, 2 << 20}), {sealed->get()});
  EXPECT_EQ(b_->receive(soon()).error().code, EMSGSIZE) << "before anything is read or allocated";
  send_raw(bytes_of({0, 10}), {sealed->get()});
  EXPECT_TRUE(b_->receive(soon()));
}

TEST_F(ChannelTest, TooManyDescriptorsAreNotSent) {
  const std::vector<int> fds(kMaxMessageFds + 1, STDERR_FILENO);
  EXPECT_EQ(a_->send({"x", 1, {}}, soon(), fds).error().code, EINVAL);
}

}  // namespace
}  // namespace weir::proxy_process
