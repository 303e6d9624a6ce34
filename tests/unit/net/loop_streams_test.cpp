#include <sys/resource.h>

#include <random>

#include "loop_fixture.h"

namespace weir::net {
namespace {

using std::chrono::milliseconds;

class LoopStreams : public LoopTest {};
WEIR_BOTH_LOOPS(LoopStreams);

TEST_P(LoopStreams, EchoOfCutWrites) {
  listen();
  const FileDescriptor peer = dial_accepted();
  Recorder& server = *accepted[0];
  server.on_bytes = [&](std::string_view bytes) { return server.stream.write(bytes); };
  std::string got;
  for (const char byte : std::string("every byte alone")) {
    send_all(peer, {&byte, 1});
    ASSERT_TRUE(pump([&] { return !(got += read_some(peer)).empty() && got.back() == byte; }));
  }
  EXPECT_EQ(got, "every byte alone");
}

TEST_P(LoopStreams, ConnectAndTalkToOurself) {
  listen();
  Recorder client;
  auto stream = loop->connect(address, client);
  ASSERT_TRUE(stream) << stream.error().message;
  client.stream = *stream;
  EXPECT_EQ(client.stream.write("early"), 5U);
  ASSERT_TRUE(pump([&] { return !accepted.empty() && accepted[0]->received == "early"; }));
  EXPECT_TRUE(client.connected);
  accepted[0]->stream.write("answer");
  ASSERT_TRUE(pump([&] { return client.received == "answer"; }));
  EXPECT_EQ(client.stream.sent(), 5U);
}

TEST_P(LoopStreams, ConnectRefused) {
  listen();
  loop->run_once(milliseconds(1));
  loop->remove_listener(listener);
  loop->run_once(milliseconds(1));
  loop->run_once(milliseconds(1));
  Recorder client;
  auto stream = loop->connect(address, client);
  if (stream) {
    ASSERT_TRUE(pump([&] { return client.error != 0; }));
    EXPECT_EQ(client.error, ECONNREFUSED);
    EXPECT_FALSE(stream->alive());
  } else {
    EXPECT_EQ(stream.error().code, ECONNREFUSED);
  }
  EXPECT_FALSE(client.connected);
  EXPECT_EQ(loop->stream_count(), 0U);
}

TEST_P(LoopStreams, ConnectToNowhereIsAnError) {
  Recorder client;
  auto stream = loop->connect({*IpAddress::parse("255.255.255.255"), 1}, client);
  if (stream) {
    ASSERT_TRUE(pump([&] { return client.error != 0; }));
  } else {
    EXPECT_NE(stream.error().code, 0);
  }
  EXPECT_EQ(loop->stream_count(), 0U);
}

TEST_P(LoopStreams, CloseWhileConnecting) {
  auto fd = listen_tcp(loopback(), 0);
  ASSERT_TRUE(fd);
  const auto full = *local_address(fd->get());
  std::vector<std::unique_ptr<Recorder>> clients;
  for (int index = 0; index < 20; ++index) {  // the backlog of 0 is full after two; the rest hang in SYN-SENT
    clients.push_back(std::make_unique<Recorder>());
    auto stream = loop->connect(full, *clients.back());
    ASSERT_TRUE(stream);
    clients.back()->stream = *stream;
    stream->write("never sent");
  }
  loop->run_once(milliseconds(5));
  for (const auto& client : clients) client->stream.close();
  EXPECT_EQ(loop->stream_count(), 0U);
  clients.clear();
  for (int turn = 0; turn < 5; ++turn) loop->run_once(milliseconds(2));
  EXPECT_EQ(loop->buffers_in_use(), 0U);
}

TEST_P(LoopStreams, WriteIsBoundedAndDrainedTells) {
  listen();
  const FileDescriptor peer = dial_accepted();
  Recorder& server = *accepted[0];
  const std::string all = text(8'000'000);
  size_t written = 0;
  const auto push = [&] {
    written += server.stream.write(std::string_view(all).substr(written));
    EXPECT_LE(server.stream.unsent(), kOutLimit);
  };
  server.on_drain = [&] {
    EXPECT_LE(server.stream.unsent(), kOutLowWater);
    push();
  };
  push();
  EXPECT_EQ(written, kOutLimit);
  // Nobody reads: the socket's buffers fill and no more is taken.
  for (int turn = 0; turn < 500; ++turn) loop->run_once(milliseconds(0));
  EXPECT_LT(written, all.size());
  EXPECT_GT(server.stream.unsent(), kOutLowWater);
  std::string got;
  ASSERT_TRUE(pump([&] { return (got += read_some(peer)).size() == all.size(); }));
  EXPECT_EQ(got, all);
  EXPECT_EQ(server.stream.sent(), all.size());
}

TEST_P(LoopStreams, WriteWholeGoesOverTheLimit) {
  listen();
  const FileDescriptor peer = dial_accepted();
  const std::string all = text(100'000);
  accepted[0]->stream.write_whole(all);
  EXPECT_EQ(accepted[0]->stream.room(), 0U);
  EXPECT_EQ(accepted[0]->stream.write("x"), 0U);
  std::string got;
  ASSERT_TRUE(pump([&] { return (got += read_some(peer)).size() == all.size(); }));
  EXPECT_EQ(got, all);
  EXPECT_TRUE(pump([&] { return accepted[0]->drained == 1; }));
}

TEST_P(LoopStreams, SlowReaderHoldsBackTheSender) {
  listen();
  const FileDescriptor peer = dial_accepted();
  Recorder& server = *accepted[0];
  bool taking = false;
  server.on_bytes = [&](std::string_view bytes) { return taking ? bytes.size() : size_t{10}; };
  const std::string all = text(16'000'000);
  size_t sent = 0;
  const auto feed = [&] {
    const ssize_t count = ::send(peer.get(), all.data() + sent, all.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) sent += static_cast<size_t>(count);
    return count > 0;
  };
  for (int turn = 0; turn < 1000; ++turn) {
    feed();
    loop->run_once(milliseconds(0));
  }
  EXPECT_EQ(server.received.size(), 10U);
  EXPECT_TRUE(server.stream.read_paused());
  EXPECT_LT(sent, all.size()) << "the sender must feel it";
  EXPECT_LT(loop->buffers_in_use() * Block::kSize, 3'000'000U);
  // Three bytes at a time over the edge of what was kept, then all.
  for (int step = 0; step < 5; ++step) {
    server.stream.resume_read();
    loop->run_once(milliseconds(0));
  }
  EXPECT_EQ(server.received.size(), 60U);
  taking = true;
  server.stream.resume_read();
  ASSERT_TRUE(pump([&] {
    feed();
    return server.received.size() == all.size();
  }));
  EXPECT_EQ(server.received, all);
  EXPECT_EQ(loop->buffers_in_use(), 0U);
}

TEST_P(LoopStreams, PausedHearsNothingUntilResumed) {
  listen();
  const FileDescriptor peer = dial_accepted();
  Recorder& server = *accepted[0];
  loop->run_once(milliseconds(0));
  server.stream.pause_read();
  send_all(peer, "held back");
  ASSERT_EQ(::shutdown(peer.get(), SHUT_WR), 0);
  for (int turn = 0; turn < 5; ++turn) loop->run_once(milliseconds(2));
  EXPECT_EQ(server.received, "");
  EXPECT_FALSE(server.eof);
  server.stream.resume_read();
  ASSERT_TRUE(pump([&] { return server.eof; }));
  EXPECT_EQ(server.received, "held back");
}

TEST_P(LoopStreams, PauseAndResumeInOneTurnLosesNothing) {
  listen();
  const FileDescriptor peer = dial_accepted();
  Recorder& server = *accepted[0];
  std::mt19937 random(3);
  server.on_bytes = [&](std::string_view bytes) {
    if (random() % 2 == 0) server.stream.pause_read();
    if (random() % 2 == 0) server.stream.resume_read();
    if (server.stream.read_paused()) server.stream.resume_read();
    return 1 + random() % bytes.size();
  };
  const std::string all = text(300'000);
  size_t sent = 0;
  ASSERT_TRUE(pump([&] {
    if (sent < all.size()) {
      const ssize_t count =
          ::send(peer.get(), all.data() + sent, std::min<size_t>(all.size() - sent, 5000), MSG_DONTWAIT);
      if (count > 0) sent += static_cast<size_t>(count);
    }
    server.stream.resume_read();
    return server.received.size() == all.size();
  }));
  EXPECT_EQ(server.received, all);
}

TEST_P(LoopStreams, HalfCloseByPeerThenAnswer) {
  listen();
  const FileDescriptor peer = dial_accepted();
  Recorder& server = *accepted[0];
  send_all(peer, "question");
  ASSERT_EQ(::shutdown(peer.get(), SHUT_WR), 0);
  ASSERT_TRUE(pump([&] { return server.eof; }));
  EXPECT_EQ(server.received, "question");
  EXPECT_TRUE(server.stream.alive());
  server.stream.write("answer");
  server.stream.finish();
  EXPECT_FALSE(server.stream.alive());
  std::string got;
  ASSERT_TRUE(pump([&] { return (got += read_some(peer)) == "answer" && at_end(peer); }));
  ASSERT_TRUE(pump([&] { return loop->stream_count() == 0; }));
}

TEST_P(LoopStreams, HalfCloseByUsThenRead) {
  listen();
  const FileDescriptor peer = dial_accepted();
  Recorder& server = *accepted[0];
  server.stream.write("last words");
  server.stream.shutdown_write();
  EXPECT_EQ(server.stream.write("dropped"), 7U);
  std::string got;
  ASSERT_TRUE(pump([&] { return (got += read_some(peer)) == "last words" && at_end(peer); }));
  send_all(peer, "still heard");
  ASSERT_TRUE(pump([&] { return server.received == "still heard"; }));
}

TEST_P(LoopStreams, ResetByPeerIsAnError) {
  listen();
  FileDescriptor peer = dial_accepted();
  set_reset_on_close(peer.get());
  peer.reset();
  Recorder& server = *accepted[0];
  ASSERT_TRUE(pump([&] { return server.error != 0; }));
  EXPECT_EQ(server.error, ECONNRESET);
  EXPECT_FALSE(server.stream.alive());
  EXPECT_FALSE(server.eof);
}

TEST_P(LoopStreams, BytesBeforeAResetAreHeardFirst) {
  listen();
  FileDescriptor peer = dial_accepted();
  Recorder& server = *accepted[0];
  server.on_bytes = [&](std::string_view) { return size_t{4}; };
  send_all(peer, "last words");
  ASSERT_TRUE(pump([&] { return server.received == "last"; }));
  set_reset_on_close(peer.get());
  peer.reset();
  loop->run_once(milliseconds(5));
  EXPECT_EQ(server.error, 0);
  server.on_bytes = nullptr;
  server.stream.resume_read();
  ASSERT_TRUE(pump([&] { return server.error != 0; }));
  EXPECT_EQ(server.received, "last words");
}

TEST_P(LoopStreams, WriteToAClosedPeerFailsAndReadingGoesOn) {
  listen();
  FileDescriptor peer = dial_accepted();
  Recorder& server = *accepted[0];
  server.stream.pause_read();
  send_all(peer, "early answer");
  ASSERT_TRUE(pump([&] {
    server.stream.write(text(1000));
    return server.stream.sent() > 0;
  }));
  peer.reset();  // unread bytes: RST
  ASSERT_TRUE(pump([&] {
    server.stream.write(text(1000));
    return server.write_error != 0;
  }));
  EXPECT_TRUE(server.stream.alive());
  EXPECT_EQ(server.stream.write("into the void"), 13U);
  EXPECT_EQ(server.stream.unsent(), 0U);
  server.stream.resume_read();
  ASSERT_TRUE(pump([&] { return server.eof || server.error != 0; }));
  EXPECT_EQ(server.received, "early answer");
}

TEST_P(LoopStreams, ResetSendsRst) {
  listen();
  const FileDescriptor peer = dial_accepted();
  accepted[0]->stream.reset();
  EXPECT_TRUE(pump([&] { return was_reset(peer); }));
}

TEST_P(LoopStreams, CloseDropsWhatIsQueued) {
  listen();
  const FileDescriptor peer = dial_accepted();
  accepted[0]->stream.write("unsent");
  accepted[0]->stream.close();
  ASSERT_TRUE(pump([&] { return at_end(peer); }));
}

TEST_P(LoopStreams, StaleHandleDoesNothingToItsSuccessor) {
  listen();
  const FileDescriptor first = dial_accepted();
  const Stream stale = accepted[0]->stream;
  stale.close();
  loop->run_once(milliseconds(1));
  loop->run_once(milliseconds(1));
  const FileDescriptor second = dial_accepted();
  EXPECT_FALSE(stale.alive());
  EXPECT_EQ(stale.write("lost"), 4U);
  stale.write_whole("lost");
  stale.shutdown_write();
  stale.pause_read();
  stale.reset();
  stale.finish();
  EXPECT_EQ(stale.fd(), -1);
  EXPECT_TRUE(accepted[1]->stream.alive());
  accepted[1]->stream.write("mine");
  std::string got;
  ASSERT_TRUE(pump([&] { return (got += read_some(second)) == "mine"; }));
  EXPECT_EQ(Stream().write("x"), 1U);
}

/// Deletes itself in the callback that is asked for.
struct Suicidal final : StreamHandler {
  enum class When { kData, kKeptData, kEof, kError, kDrained };
  Suicidal(When when_to_die, int& counter) : when(when_to_die), deaths(counter) {}

  size_t die(bool close) {
    if (close) stream.close();
    ++deaths;
    delete this;
    return 0;
  }
  size_t on_data(std::string_view bytes) override {
    if (when == When::kData || (when == When::kKeptData && seen++ > 0)) {
      other.write(bytes);
      return die(true);
    }
    return when == When::kKeptData ? 1 : bytes.size();
  }
  void on_drained() override {
    if (when == When::kDrained) die(true);
  }
  void on_eof() override { die(true); }
  void on_write_failed(int) override {}
  void on_error(int) override { die(false); }

  When when;
  int& deaths;
  int seen = 0;
  Stream stream, other;
};

TEST_P(LoopStreams, HandlerMayDeleteItselfInEachCallback) {
  listen();
  using When = Suicidal::When;
  int deaths = 0, expected = 0;
  for (const When when : {When::kData, When::kKeptData, When::kEof, When::kError, When::kDrained}) {
    Suicidal* handler = nullptr;
    acceptor.accept = [&](FileDescriptor fd) {
      handler = new Suicidal(when, deaths);
      handler->stream = loop->adopt(std::move(fd), *handler);
    };
    FileDescriptor peer = dial();
    ASSERT_TRUE(pump([&] { return handler != nullptr; }));
    if (when == When::kData || when == When::kKeptData) send_all(peer, text(5000));
    if (when == When::kKeptData) {
      ASSERT_TRUE(pump([&] { return handler->stream.read_paused(); }));
      handler->stream.resume_read();
    }
    if (when == When::kEof) ::shutdown(peer.get(), SHUT_WR);
    if (when == When::kError) {
      set_reset_on_close(peer.get());
      peer.reset();
    }
    if (when == When::kDrained) handler->stream.notify_when_drained();
    ++expected;
    ASSERT_TRUE(pump([&] { return deaths == expected; })) << static_cast<int>(when);
    for (int turn = 0; turn < 3; ++turn) loop->run_once(milliseconds(1));
  }
  EXPECT_EQ(loop->stream_count(), 0U);
  EXPECT_EQ(loop->buffers_in_use(), 0U);
}

TEST_P(LoopStreams, LoopMayGoWithEverythingUnderWay) {
  listen();
  std::vector<FileDescriptor> peers;
  for (int index = 0; index < 20; ++index) {
    peers.push_back(dial_accepted());
    accepted.back()->stream.write_whole(text(3'000'000));
  }
  Recorder client;
  ASSERT_TRUE(loop->connect(address, client));
  loop->run_once(milliseconds(1));
  loop.reset();
  EXPECT_TRUE(at_end(peers[0]) || !read_some(peers[0]).empty() || was_reset(peers[0]));
}

/// Opening, talking, pausing and closing in any order, on both ends of 50 connections.
TEST_P(LoopStreams, RandomLives) {
  listen();
  std::mt19937 random(11);
  std::vector<FileDescriptor> peers;
  for (int step = 0; step < 5000; ++step) {
    const size_t pick = peers.empty() ? 0 : random() % peers.size();
    const size_t served = accepted.empty() ? 0 : random() % accepted.size();
    switch (random() % 10) {
      case 0:
        if (peers.size() < 50) peers.push_back(dial());
        break;
      case 1:
        if (!peers.empty()) {
          peers[pick] = std::move(peers.back());
          peers.pop_back();
        }
        break;
      case 2:
      case 3:
      case 4:
        if (!peers.empty()) ::send(peers[pick].get(), "0123456789", 10, MSG_DONTWAIT | MSG_NOSIGNAL);
        break;
      case 5:
        if (!accepted.empty()) accepted[served]->stream.write(text(random() % 40'000));
        break;
      case 6:
        if (!accepted.empty()) accepted[served]->stream.pause_read();
        break;
      case 7:
        if (!accepted.empty()) accepted[served]->stream.resume_read();
        break;
      case 8:
        if (!accepted.empty() && random() % 4 == 0) {
          const Stream stream = accepted[served]->stream;
          if (random() % 3 == 0)
            stream.reset();
          else if (random() % 2 == 0)
            stream.close();
          else
            stream.finish(milliseconds(5));
        }
        break;
      default:
        if (!peers.empty()) read_some(peers[pick]);
    }
    if (random() % 3 == 0) loop->run_once(milliseconds(0));
  }
  peers.clear();
  for (const auto& handler : accepted) handler->stream.close();
  EXPECT_TRUE(pump([&] { return loop->stream_count() == 0; }));
  for (int turn = 0; turn < 5; ++turn) loop->run_once(milliseconds(1));
  EXPECT_EQ(loop->buffers_in_use(), 0U);
}

}  // namespace
}  // namespace weir::net
