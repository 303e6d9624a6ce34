// The end of a stream that still has something to say.

#include "loop_fixture.h"

namespace weir::net {
namespace {

using std::chrono::milliseconds;

class LoopFinish : public LoopTest {};
WEIR_BOTH_LOOPS(LoopFinish);

TEST_P(LoopFinish, AllIsSentThoughThePeerStillTalks) {
  listen();
  const FileDescriptor peer = dial_accepted();
  Recorder& server = *accepted[0];
  const std::string all = text(200'000);
  send_all(peer, "half a request");
  ASSERT_TRUE(pump([&] { return !server.received.empty(); }));
  server.stream.write_whole(all);
  server.stream.finish();
  send_all(peer, text(20'000));
  std::string got;
  ASSERT_TRUE(pump([&] { return (got += read_some(peer)).size() == all.size() && at_end(peer); }));
  EXPECT_EQ(got, all);
  EXPECT_EQ(server.received, "half a request");
  ASSERT_TRUE(pump([&] { return loop->stream_count() == 0; })) << "a while after the FIN";
}

/// More than 64 KiB that came in the turn of the answer closed the stream before the answer was sent.
TEST_P(LoopFinish, WhatComesInTheSameTurnDoesNotCostTheAnswer) {
  for (int round = 0; round < 20; ++round) {
    listen();
    accepted.clear();
    const FileDescriptor peer = dial();
    const std::string much = text(1'000'000);
    ASSERT_GT(::send(peer.get(), much.data(), much.size(), MSG_DONTWAIT | MSG_NOSIGNAL), 100'000);
    acceptor.accept = [&](FileDescriptor fd) {
      accepted.push_back(std::make_unique<Recorder>());
      Recorder& server = *accepted.back();
      server.stream = loop->adopt(std::move(fd), server);
      server.on_bytes = [&server](std::string_view bytes) {
        server.stream.write("answer");
        server.stream.finish();
        return bytes.size();
      };
    };
    std::string got;
    ASSERT_TRUE(pump([&] { return (got += read_some(peer)) == "answer" && (at_end(peer) || was_reset(peer)); })) << got;
    EXPECT_TRUE(at_end(peer));
    loop->remove_listener(listener);
  }
}

/// The same with bytes that the handler had left with the loop.
TEST_P(LoopFinish, WhatWasKeptDoesNotCostTheAnswer) {
  listen();
  const FileDescriptor peer = dial_accepted();
  Recorder& server = *accepted[0];
  server.on_bytes = [](std::string_view) { return 0; };
  send_all(peer, text(200'000));
  for (int turn = 0; turn < 20; ++turn) loop->run_once(milliseconds(1));
  server.stream.write("answer");
  server.stream.finish();
  std::string got;
  ASSERT_TRUE(pump([&] { return (got += read_some(peer)) == "answer" && at_end(peer); })) << got;
  send_all(peer, text(200'000));
  ASSERT_TRUE(pump([&] { return loop->stream_count() == 0; }));
  EXPECT_FALSE(was_reset(peer)) << "all of it was read";
}

TEST_P(LoopFinish, APeerThatDoesNotReadIsGivenUp) {
  listen();
  const FileDescriptor peer = dial_accepted();
  accepted[0]->stream.write_whole(text(10'000'000));
  accepted[0]->stream.finish(milliseconds(50));
  EXPECT_TRUE(pump([&] { return loop->stream_count() == 0; }, std::chrono::seconds(3)));
}

TEST_P(LoopFinish, APeerThatSendsForEverIsGivenUp) {
  listen();
  const FileDescriptor peer = dial_accepted();
  accepted[0]->stream.write("400");
  accepted[0]->stream.finish(milliseconds(20));
  const std::string flood = text(30'000);
  ASSERT_TRUE(pump([&] {
    ::send(peer.get(), flood.data(), flood.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return loop->stream_count() == 0;
  }));
}

TEST_P(LoopFinish, APeerThatNeitherSendsNorClosesIsGivenUp) {
  listen();
  const FileDescriptor peer = dial_accepted();
  accepted[0]->stream.write("400");
  accepted[0]->stream.finish();
  ASSERT_TRUE(pump([&] { return loop->stream_count() == 0; }));
}

/// Streams that nobody counts must not pile up: beyond a number they go with their answer, however much still comes.
TEST_P(LoopFinish, NotEverybodyIsHeardOutAtOnce) {
  listen();
  std::vector<FileDescriptor> peers;
  for (size_t count = 0; count < kMaxLingering + 20; ++count) peers.push_back(dial_accepted());
  for (const auto& server : accepted) {
    server->stream.write("400");
    server->stream.finish(std::chrono::minutes(1));  // heard out for minutes, as long as they send
  }
  EXPECT_TRUE(pump([&] {
    for (const FileDescriptor& peer : peers) ::send(peer.get(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return loop->stream_count() <= kMaxLingering;
  }));
  for (const FileDescriptor& peer : peers) EXPECT_EQ(read_some(peer), "400");
  for (FileDescriptor& peer : peers) peer.reset();
  EXPECT_TRUE(pump([&] { return loop->stream_count() == 0; }));
}

}  // namespace
}  // namespace weir::net
