// Listeners: storms, pauses, and running out of descriptors (hardening N9, N10).

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "loop_fixture.h"

namespace weir::net {
namespace {

using std::chrono::milliseconds;

class LoopAccept : public LoopTest {
 protected:
  void TearDown() override {
    if (before_.rlim_max != 0) ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  void limit_descriptors(rlim_t limit) {
    if (before_.rlim_max == 0) ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit lowered{limit, before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  }
  static rlim_t highest_descriptor() {
    const FileDescriptor probe(::dup(0));
    return static_cast<rlim_t>(probe.get());
  }

 private:
  rlimit before_{};
};
WEIR_BOTH_LOOPS(LoopAccept);

TEST_P(LoopAccept, AThousandConnectionsEcho) {
  listen();
  constexpr size_t kCount = 1000;
  acceptor.accept = [this](FileDescriptor fd) {
    auto handler = std::make_unique<Recorder>();
    Recorder* raw = handler.get();
    raw->on_bytes = [raw](std::string_view bytes) { return raw->stream.write(bytes); };
    raw->stream = loop->adopt(std::move(fd), *raw);
    accepted.push_back(std::move(handler));
  };
  std::vector<FileDescriptor> peers;
  for (size_t index = 0; index < kCount; ++index) peers.push_back(dial());
  ASSERT_TRUE(pump([&] { return accepted.size() == kCount; }));
  EXPECT_EQ(loop->stream_count(), kCount);
  for (size_t index = 0; index < kCount; ++index) send_all(peers[index], "message " + std::to_string(index));
  for (size_t index = 0; index < kCount; ++index) {
    std::string got;
    const std::string wanted = "message " + std::to_string(index);
    ASSERT_TRUE(pump([&] { return (got += read_some(peers[index])) == wanted; })) << got;
  }
  EXPECT_EQ(loop->buffers_in_use(), 0U);
  peers.clear();
  ASSERT_TRUE(pump(
      [&] { return std::all_of(accepted.begin(), accepted.end(), [](const auto& handler) { return handler->eof; }); }));
  for (const auto& handler : accepted) handler->stream.close();
  EXPECT_EQ(loop->stream_count(), 0U);
}

TEST_P(LoopAccept, AtMost64AreHandedOutATurn) {
  listen();
  std::vector<FileDescriptor> peers;
  for (int index = 0; index < 200; ++index) peers.push_back(dial());
  size_t before = 0;
  ASSERT_TRUE(pump([&] {
    EXPECT_LE(accepted.size() - before, 64U);
    before = accepted.size();
    return accepted.size() == 200;
  }));
}

TEST_P(LoopAccept, PausedListenerLeavesThemInTheBacklog) {
  listen();
  loop->run_once(milliseconds(1));
  loop->pause_listener(listener);
  loop->run_once(milliseconds(1));
  const FileDescriptor peer = dial();
  loop->run_once(milliseconds(10));
  loop->run_once(milliseconds(10));
  EXPECT_TRUE(accepted.empty());
  loop->resume_listener(listener);
  EXPECT_TRUE(pump([&] { return accepted.size() == 1; }));
}

TEST_P(LoopAccept, PauseAndResumeInOneTurn) {
  listen();
  loop->run_once(milliseconds(1));
  for (int round = 0; round < 3; ++round) {
    loop->pause_listener(listener);
    loop->resume_listener(listener);
  }
  const FileDescriptor peer = dial();
  EXPECT_TRUE(pump([&] { return accepted.size() == 1; }));
}

TEST_P(LoopAccept, RemovedListenerRefuses) {
  listen();
  loop->run_once(milliseconds(1));
  loop->remove_listener(listener);
  ASSERT_TRUE(pump([&] {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const RawAddress raw = to_raw(address);
    return ::connect(fd.get(), raw.get(), raw.length) != 0 && errno == ECONNREFUSED;
  }));
  EXPECT_TRUE(accepted.empty());
}

// A proxy that was replaced reset what its ring had accepted and not handed out when it gave the socket up.
TEST_P(LoopAccept, ARetiredListenerLosesNoConnection) {
  auto fd = listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
  ASSERT_TRUE(fd);
  address = *local_address(fd->get());
  const FileDescriptor other(::dup(fd->get()));  // the next process has the socket too
  ASSERT_EQ(::fcntl(other.get(), F_SETFL, O_NONBLOCK), 0);
  const uint32_t retired = loop->add_listener(std::move(*fd), acceptor);
  loop->run_once(milliseconds(1));
  std::vector<FileDescriptor> peers;
  for (int index = 0; index < 200; ++index) peers.push_back(dial());
  loop->run_once(milliseconds(1));
  loop->retire_listener(retired);
  EXPECT_TRUE(loop->is_retiring());
  for (int index = 0; index < 50; ++index) peers.push_back(dial());
  ASSERT_TRUE(pump([&] { return !loop->is_retiring(); }));
  std::vector<FileDescriptor> rest;
  for (;;) {
    FileDescriptor next(::accept4(other.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!next) break;
    rest.push_back(std::move(next));
  }
  EXPECT_EQ(accepted.size() + rest.size(), peers.size());
  for (const FileDescriptor& peer : peers) {
    char byte;
    EXPECT_EQ(::recv(peer.get(), &byte, 1, MSG_DONTWAIT), -1);
    EXPECT_EQ(errno, EAGAIN) << "neither ended nor reset";
  }
}

TEST_P(LoopAccept, RetiringEndsWhenTheListenerIsRemoved) {
  listen();
  loop->run_once(milliseconds(1));
  loop->retire_listener(listener);
  loop->retire_listener(listener);
  loop->remove_listener(listener);
  EXPECT_FALSE(loop->is_retiring());
  loop->run_once(milliseconds(1));
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

TEST_P(LoopAccept, N9OutOfDescriptorsRestsWithoutSpinningAndGoesOn) {
  listen();
  std::vector<FileDescriptor> peers;
  for (int index = 0; index < 40; ++index) peers.push_back(dial());
  limit_descriptors(highest_descriptor() + 10);
  ASSERT_TRUE(pump([&] { return acceptor.exhausted > 0; }));
  const size_t served = accepted.size();
  EXPECT_GE(served, 1U);
  EXPECT_LE(served, 10U);
  const double before = cpu_seconds();
  const auto end = std::chrono::steady_clock::now() + milliseconds(300);
  while (std::chrono::steady_clock::now() < end) loop->run_once(milliseconds(300));
  EXPECT_LT(cpu_seconds() - before, 0.15);
  // One goes, one of those that wait gets in.
  accepted[0]->stream.close();
  ASSERT_TRUE(pump([&] { return accepted.size() == served + 1; }));
}

TEST_P(LoopAccept, N9ThoseThatWaitForASecondAreReset) {
  listen();
  std::vector<FileDescriptor> peers;
  for (int index = 0; index < 40; ++index) peers.push_back(dial());
  limit_descriptors(highest_descriptor() + 5);
  size_t reset = 0;
  ASSERT_TRUE(pump([&] {
    for (const auto& peer : peers) reset += was_reset(peer) ? 1 : 0;
    return reset + accepted.size() == 40;
  }));
  EXPECT_GE(reset, 30U);
}

}  // namespace
}  // namespace weir::net
