// Connections as such: how many, from whom, for how long; what is logged and counted.

#include "proxy/worker.h"

#include <fcntl.h>

#include "proxy_fixture.h"

namespace weir::proxy {
namespace {

class WorkerTest : public ProxyTest {};
WEIR_BOTH_LOOPS(WorkerTest);

TEST_P(WorkerTest, N1_SlowlorisIsAnswered408AfterTheHeadsDeadline) {
  options.timeouts.head = milliseconds(80);
  start(kToV1);
  Peer& client = dial();
  const auto begin = std::chrono::steady_clock::now();
  client.send("GET / HTTP/1.1\r\n");
  ASSERT_TRUE(pump([&] {
    client.send("X");  // a byte now and then does not help
    return client.gone();
  }));
  EXPECT_EQ(status_of(client.received), "408");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(1500));
  EXPECT_EQ(worker->loop_stats().head_timeouts.get(), 1U);
}

TEST_P(WorkerTest, N1_SlowOnesDoNotHoldUpTheOthers) {
  options.timeouts.head = milliseconds(300);
  start(kToV1);
  Peer& other = dial();
  get(other);
  std::vector<Peer*> slow;
  for (int count = 0; count < 200; ++count) {
    slow.push_back(&dial());
    slow.back()->send("GET / HTTP/1.1\r\nHost: web.test\r\n");
  }
  const auto over = [&] { return std::all_of(slow.begin(), slow.end(), [](Peer* peer) { return peer->gone(); }); };
  int served = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!over() && std::chrono::steady_clock::now() < end) {
    for (Peer* peer : slow) peer->send("x");
    served += status_of(get(other)) == "200" ? 1 : 0;
  }
  EXPECT_TRUE(over());
  EXPECT_GT(served, 10);
  EXPECT_EQ(worker->loop_stats().head_timeouts.get(), 200U);
  EXPECT_EQ(worker->session_count(), 1U);
}

TEST_P(WorkerTest, N1_SilentConnectionsAreClosed) {
  options.timeouts.head = milliseconds(50);
  start(kToV1);
  Peer& client = dial();
  ASSERT_TRUE(pump([&] { return client.gone(); }));
  EXPECT_EQ(client.received, "");
}

TEST_P(WorkerTest, IdleKeepAliveConnectionsAreClosed) {
  options.timeouts.keep_alive = milliseconds(50);
  options.timeouts.endpoint_keep_alive = milliseconds(30);
  start(kToV1);
  Peer& client = dial();
  get(client);
  ASSERT_TRUE(pump([&] { return client.gone(); }));
  ASSERT_TRUE(pump([&] { return v1().peers[0]->gone(); }));
  EXPECT_EQ(worker->session_count(), 0U);
  EXPECT_EQ(worker->pool().open_count(), 0U);
  EXPECT_EQ(worker->loop_stats().idle_closed.get(), 1U);
}

TEST_P(WorkerTest, N2_ASlowBodyIs408) {
  options.timeouts.body_idle = milliseconds(60);
  options.minimum_rate = 500'000;
  start(kToV1);
  Peer& client = dial();
  client.send("POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 1000000\r\n\r\n");
  ASSERT_TRUE(pump([&] {
    client.send("x");
    return client.gone();
  }));
  EXPECT_EQ(status_of(client.received), "408");
  ASSERT_TRUE(pump([&] { return v1().peers[0]->gone(); }));
  EXPECT_EQ(worker->loop_stats().slow_bodies.get(), 1U);
}

TEST_P(WorkerTest, N2_AReaderThatDoesNotReadIsReset) {
  options.timeouts.body_idle = milliseconds(100);
  start(kToV1);
  v1().answer = nullptr;
  Peer& client = dial();
  const std::string answer = ok(std::string(30'000'000, 'x'));
  client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  size_t answered = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (worker->session_count() == 0 && std::chrono::steady_clock::now() < end) loop->run_once(milliseconds(1));
  while (worker->session_count() > 0 && std::chrono::steady_clock::now() < end) {
    loop->run_once(milliseconds(1));
    v1().poll();
    if (!v1().peers.empty() && is_whole(v1().peers[0]->received)) {
      answered += v1().peers[0]->send(std::string_view(answer).substr(answered));
    }
  }
  EXPECT_EQ(worker->session_count(), 0U);
  ASSERT_TRUE(pump([&] { return client.gone(); }));
  EXPECT_TRUE(client.reset);
}

TEST_P(WorkerTest, AnAnswerMayTakeItsTime) {
  options.timeouts.body_idle = milliseconds(20);
  start(kToV1);
  v1().answer = nullptr;
  Peer& client = dial();
  client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return !v1().peers.empty() && is_whole(v1().peers[0]->received); }));
  v1().peers[0]->send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nev");
  const auto end = std::chrono::steady_clock::now() + milliseconds(200);
  ASSERT_TRUE(pump([&] { return std::chrono::steady_clock::now() > end; }));
  v1().peers[0]->send("nt");
  ASSERT_TRUE(pump([&] { return client.received.ends_with("evnt"); })) << "server-sent events live on silence";
}

/// Found by the fuzzer: behind a pipelined request the client's end is not seen.
TEST_P(WorkerTest, AnAnswerThatCeasesEndsAtLast) {
  options.timeouts.body_idle = milliseconds(20);
  options.timeouts.answer_idle = milliseconds(60);
  start(kToV1);
  v1().answer = nullptr;
  Peer& client = dial();
  client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\nGET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return !v1().peers.empty() && is_whole(v1().peers[0]->received); }));
  v1().peers[0]->send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
  ASSERT_TRUE(pump([&] { return contains(client.received, "\r\n\r\n"); }));
  client.close();
  ASSERT_TRUE(pump([&] { return worker->session_count() == 0; }));
}

/// Found by the fuzzer: nothing was ever written to the client again, so nothing told that it was gone.
TEST_P(WorkerTest, AClosedClientDoesNotWaitForASilentEndpointForever) {
  options.timeouts.body_idle = milliseconds(50);
  start(kToV1);
  v1().answer = nullptr;
  Peer& client = dial();
  client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return !v1().peers.empty() && is_whole(v1().peers[0]->received); }));
  v1().peers[0]->send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
  ASSERT_TRUE(pump([&] { return contains(client.received, "\r\n\r\n"); }));
  client.close();
  ASSERT_TRUE(pump([&] { return worker->session_count() == 0; }));
}

TEST_P(WorkerTest, N12_TheOldestIdleConnectionMakesRoom) {
  options.max_connections = 3;
  start(kToV1);
  Peer& first = dial();
  get(first);
  Peer& second = dial();
  get(second);
  Peer& third = dial();
  get(third);
  get(first);  // now the second is the oldest
  EXPECT_EQ(status_of(get(dial())), "200");
  ASSERT_TRUE(pump([&] { return second.gone(); }));
  EXPECT_FALSE(first.gone());
  EXPECT_FALSE(third.gone());
  EXPECT_EQ(worker->loop_stats().closed_for_room.get(), 1U);
}

TEST_P(WorkerTest, N9_WithEveryPlaceTakenClientsWaitInTheBacklog) {
  options.max_connections = 2;
  start(kToV1);
  v1().answer = nullptr;
  Peer& first = dial();
  Peer& second = dial();
  for (Peer* client : {&first, &second}) client->send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] {
    return v1().peers.size() == 2 && is_whole(v1().peers[0]->received) && is_whole(v1().peers[1]->received);
  }));
  Peer& third = dial();
  third.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  settle();
  EXPECT_LE(worker->session_count(), 2U);
  v1().answer = [](const std::string&) { return ok("served"); };
  EXPECT_EQ(body_of(take_answer(first)), "served");
  EXPECT_EQ(body_of(take_answer(third)), "served");
}

TEST_P(WorkerTest, N13_OneClientHasItsShare) {
  options.max_connections_per_client = 2;
  start(kToV1);
  Peer& first = dial();
  Peer& second = dial();
  get(first);
  get(second);
  Peer& third = dial();
  ASSERT_TRUE(pump([&] { return third.gone(); }));
  EXPECT_TRUE(third.reset);
  EXPECT_EQ(worker->loop_stats().refused_per_client.get(), 1U);
  first.close();
  ASSERT_TRUE(pump([&] { return worker->session_count() == 1; }));
  EXPECT_EQ(status_of(get(dial())), "200");
}

TEST_P(WorkerTest, N15_APortThatIsNoFrontendIsReset) {
  start(kToV1);
  auto fd = net::listen_tcp(loopback());
  ASSERT_TRUE(fd);
  const auto other = *net::local_address(fd->get());
  worker->add_listener(std::move(*fd));
  clients.push_back(std::make_unique<Peer>(Peer::dial(other)));
  Peer& client = *clients.back();
  client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return client.gone(); }));
  EXPECT_TRUE(client.reset);
  EXPECT_EQ(worker->loop_stats().refused_no_frontend.get(), 1U);
}

TEST_P(WorkerTest, DrainingFinishesWhatIsUnderWayAndAnswersOnIdleConnectionsOnce) {
  start(kToV1);
  Peer& idle = dial();
  get(idle);
  v1().answer = nullptr;
  Peer& busy = dial();
  busy.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return is_whole(v1().peers.back()->received); }));
  worker->drain();
  settle();
  EXPECT_FALSE(idle.gone()) << "its next request may be under way";
  v1().peers.back()->send(ok("last"));
  const std::string answer = take_answer(busy);
  EXPECT_EQ(body_of(answer), "last");
  EXPECT_TRUE(contains(answer, "connection: close\r\n"));
  ASSERT_TRUE(pump([&] { return busy.gone(); }));
  v1().answer = [](const std::string&) { return ok("after all"); };
  const std::string late = get(idle);
  EXPECT_EQ(body_of(late), "after all");
  EXPECT_TRUE(contains(late, "connection: close\r\n"));
  ASSERT_TRUE(pump([&] { return idle.gone() && worker->drained(); }));
  EXPECT_FALSE(idle.reset);
  EXPECT_EQ(worker->pool().open_count(), 0U);
}

TEST_P(WorkerTest, AnIdleConnectionEndsWithTheDrain) {
  start(kToV1);
  Peer& idle = dial();
  get(idle);
  worker->drain(milliseconds(50));
  ASSERT_TRUE(pump([&] { return idle.gone() && worker->drained(); }));
  EXPECT_FALSE(idle.reset);
}

TEST_P(WorkerTest, TellsAWatchdogThatItTurns) {
  start(kToV1);
  const uint64_t before = worker->turned_at();
  EXPECT_GT(before, 0U);
  ASSERT_TRUE(pump([&] { return worker->turned_at() > before; }));
  EXPECT_GE(worker->turned_at() - before, 90'000'000U) << "every 100 ms";
}

TEST_P(WorkerTest, DrainingEnds) {
  options.timeouts.drain = milliseconds(50);
  start(kToV1);
  v1().answer = nullptr;
  Peer& busy = dial();
  busy.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return !v1().peers.empty() && is_whole(v1().peers.back()->received); }));
  worker->drain();
  ASSERT_TRUE(pump([&] { return busy.gone() && worker->session_count() == 0; }));
}

TEST_P(WorkerTest, WorkerMayGoWithEverythingUnderWay) {
  start("  - mirror: {host: web.test, subset: v2}\n    route: [{destination: {host: web.test, subset: v1}}]\n");
  v1().answer = nullptr;
  v2().answer = nullptr;
  for (int count = 0; count < 10; ++count)
    dial().send("POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 10\r\n\r\nhalf");
  ASSERT_TRUE(pump([&] { return v1().peers.size() == 10; }));
  worker.reset();
  ASSERT_TRUE(pump([&] { return clients[0]->gone(); }));
  EXPECT_EQ(loop->stream_count(), 0U);
}

TEST_P(WorkerTest, CountsAndLogsEachRequest) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const FileDescriptor out(ends[0]);
  const FileDescriptor in(ends[1]);
  log_fd = in.get();
  options.access_log = AccessLogFormat::kJson;
  start("  - name: everything\n    route: [{destination: {host: web.test, subset: v1}}]\n");
  Peer& client = dial();
  get(client, "/a\"b", "User-Agent: curl\r\nX-Request-Id: id-1\r\n");
  ask(client, "POST /p HTTP/1.1\r\nHost: web.test\r\nContent-Length: 5\r\n\r\nhello");
  std::string text;
  ASSERT_TRUE(pump([&] {
    char buffer[4096];
    const ssize_t count = ::read(out.get(), buffer, sizeof buffer);
    if (count > 0) text.append(buffer, static_cast<size_t>(count));
    return std::count(text.begin(), text.end(), '\n') == 2;
  })) << text;
  for (const char* part :
       {"\"method\":\"GET\",\"path\":\"/a\\\"b\"", "\"status\":200,\"flags\":\"-\"",
        "\"request_id\":\"id-1\",\"user_agent\":\"curl\"",
        "\"service\":\"web.test\",\"rule\":\"everything\",\"destination\":\"web.test:80/v1\",\"endpoint\":\"127.0.0.1:",
        "\"bytes_received\":5,\"bytes_sent\":2", "\"client\":\"127.0.0.1\",\"authority\":\"web.test\""}) {
    EXPECT_TRUE(contains(text, part)) << part << "\n" << text;
  }
  const TrafficStats* counted = traffic("web.test:80/v1");
  ASSERT_NE(counted, nullptr);
  EXPECT_EQ(counted->requests.get(), 2U);
  EXPECT_EQ(counted->status_classes[2].get(), 2U);
  EXPECT_EQ(counted->bytes_received.get(), 5U);
  EXPECT_EQ(counted->bytes_sent.get(), 4U);
  const auto endpoints = shared->stats.all_endpoints();
  const auto served = std::find_if(endpoints.begin(), endpoints.end(), [&](const auto& entry) {
    return entry.address == v1().address.to_string() && entry.destination == "web.test:80/v1";
  });
  ASSERT_NE(served, endpoints.end());
  EXPECT_EQ(served->stats->of_loop(0).requests.get(), 2U);
  EXPECT_EQ(served->stats->of_loop(0).status_classes[2].get(), 2U);
}

TEST_P(WorkerTest, AThousandIdleConnectionsHoldNoBuffers) {
  start(kToV1);
  for (int count = 0; count < 300; ++count) get(dial());
  settle();
  EXPECT_EQ(worker->session_count(), 300U);
  EXPECT_EQ(loop->buffers_in_use(), 0U);
  EXPECT_EQ(worker->blocks().in_use(), 0U);
}

}  // namespace
}  // namespace weir::proxy
