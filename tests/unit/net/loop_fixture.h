#pragma once
// Both loops under the same tests: a listener on loopback, raw blocking sockets as peers, and handlers that write down
// what they are told.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/loop.h"

namespace weir::net {

inline SocketAddress loopback(uint16_t port = 0) {
  return {*IpAddress::parse("127.0.0.1"), port};
}

inline std::string text(size_t size) {
  std::string bytes(size, '\0');
  for (size_t index = 0; index < size; ++index) bytes[index] = static_cast<char>('a' + (index * 7 + index / 251) % 26);
  return bytes;
}

struct Recorder final : StreamHandler {
  Stream stream;
  std::string received;
  bool connected = false, eof = false;
  int error = 0, write_error = 0, drained = 0;
  std::function<size_t(std::string_view)> on_bytes;  // default: takes all
  std::function<void()> on_drain, on_end;

  void on_connected() override { connected = true; }
  size_t on_data(std::string_view bytes) override {
    const size_t taken = on_bytes ? on_bytes(bytes) : bytes.size();
    received += bytes.substr(0, taken);
    return taken;
  }
  void on_drained() override {
    ++drained;
    if (on_drain) on_drain();
  }
  void on_eof() override {
    eof = true;
    if (on_end) on_end();
  }
  void on_write_failed(int error_number) override { write_error = error_number; }
  void on_error(int error_number) override { error = error_number; }
};

struct Acceptor final : AcceptHandler {
  std::function<void(FileDescriptor)> accept;
  int exhausted = 0;
  void on_accept(FileDescriptor fd) override { accept(std::move(fd)); }
  void on_accept_exhausted(int) override { ++exhausted; }
};

class LoopTest : public testing::TestWithParam<LoopKind> {
 protected:
  void SetUp() override {
    auto made = make_loop(GetParam());
    if (!made && GetParam() == LoopKind::kUring) GTEST_SKIP() << made.error().message;
    ASSERT_TRUE(made) << made.error().message;
    loop = std::move(*made);
    acceptor.accept = [this](FileDescriptor fd) {
      accepted.push_back(std::make_unique<Recorder>());
      accepted.back()->stream = loop->adopt(std::move(fd), *accepted.back());
    };
  }

  void listen(int backlog = 4096) {
    auto fd = listen_tcp(loopback(), backlog);
    ASSERT_TRUE(fd) << fd.error().message;
    address = *local_address(fd->get());
    listener = loop->add_listener(std::move(*fd), acceptor);
  }

  /// A blocking socket, connected to the listener.
  [[nodiscard]] FileDescriptor dial() const {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const RawAddress raw = to_raw(address);
    EXPECT_EQ(::connect(fd.get(), raw.get(), raw.length), 0) << errno;
    return fd;
  }

  /// One peer and its accepted stream.
  FileDescriptor dial_accepted() {
    const size_t before = accepted.size();
    FileDescriptor fd = dial();
    EXPECT_TRUE(pump([&] { return accepted.size() > before; }));
    return fd;
  }

  template <class Predicate>
  bool pump(Predicate&& done, Duration limit = std::chrono::seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop->run_once(std::chrono::milliseconds(20));
    }
    return true;
  }

  static void send_all(const FileDescriptor& fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(count, 0) << errno;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }

  /// What is there, without blocking. "" at the end as well; see at_end().
  static std::string read_some(const FileDescriptor& fd) {
    std::string bytes(65536, '\0');
    const ssize_t count = ::recv(fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return bytes;
  }
  static bool at_end(const FileDescriptor& fd) {
    char byte;
    return ::recv(fd.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
  }
  static bool was_reset(const FileDescriptor& fd) {
    char byte;
    return ::recv(fd.get(), &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET;
  }

  // Declared first, so that they outlive the loop: handlers are the user's.
  Acceptor acceptor;
  std::vector<std::unique_ptr<Recorder>> accepted;
  std::unique_ptr<Loop> loop;
  SocketAddress address;
  uint32_t listener = 0;
};

inline std::string kind_name(const testing::TestParamInfo<LoopKind>& info) {
  return info.param == LoopKind::kUring ? "uring" : "epoll";
}

#define WEIR_BOTH_LOOPS(suite) \
  INSTANTIATE_TEST_SUITE_P(Both, suite, testing::Values(LoopKind::kUring, LoopKind::kEpoll), kind_name)

}  // namespace weir::net
