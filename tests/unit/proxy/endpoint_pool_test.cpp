#include "proxy/endpoint_pool.h"

#include "proxy_fixture.h"

namespace weir::proxy {
namespace {

struct User final : EndpointUser {
  void on_endpoint_connected() override { connected = true; }
  size_t on_endpoint_data(std::string_view bytes) override {
    received += bytes;
    return bytes.size();
  }
  void on_endpoint_drained() override {}
  void on_endpoint_eof() override { eof = true; }
  void on_endpoint_write_failed() override {}
  void on_endpoint_error(int error_number) override { error = error_number; }
  bool connected = false, eof = false;
  std::string received;
  void on_endpoint_free() override {
    ++freed;
    if (on_free) on_free();
  }
  std::function<void()> on_free;
  int error = 0, freed = 0;
};

class EndpointPoolTest : public ProxyTest {
 protected:
  void SetUp() override {
    ProxyTest::SetUp();
    if (loop != nullptr) pool = std::make_unique<EndpointPool>(*loop, options);
  }
  void TearDown() override { pool.reset(); }

  EndpointConnection* connect(const EndpointKey& key, User& user) {
    auto made = pool->connect(key, user, limits, state);
    EXPECT_TRUE(made);
    EXPECT_TRUE(pump([&] { return user.connected; }));
    return *made;
  }
  std::unique_ptr<EndpointPool> pool;
  PoolLimits limits;
  DestinationStatePtr state = std::make_shared<DestinationState>();
};
WEIR_BOTH_LOOPS(EndpointPoolTest);

TEST_P(EndpointPoolTest, TheConnectionUsedLastIsUsedNext) {
  const EndpointKey key{1, v1().address};
  User users[3];
  EndpointConnection* first = connect(key, users[0]);
  EndpointConnection* second = connect(key, users[1]);
  pool->give_back(*first);
  pool->give_back(*second);
  EXPECT_EQ(pool->idle_count(), 2U);
  EXPECT_EQ(pool->take_idle(key, users[2]), second);
  EXPECT_TRUE(second->reused());
  EXPECT_EQ(pool->take_idle(key, users[2]), first);
  EXPECT_EQ(pool->take_idle(key, users[2]), nullptr);
}

TEST_P(EndpointPoolTest, KeysKeepServicesAndEndpointsApart) {
  User user;
  pool->give_back(*connect({1, v1().address}, user));
  EXPECT_EQ(pool->take_idle({2, v1().address}, user), nullptr);
  EXPECT_EQ(pool->take_idle({1, v2().address}, user), nullptr);
  EXPECT_NE(pool->take_idle({1, v1().address}, user), nullptr);
}

TEST_P(EndpointPoolTest, NoMoreIdleOnesThanAllowed) {
  options.max_idle_per_endpoint = 1;
  const EndpointKey key{1, v1().address};
  User users[2];
  EndpointConnection* first = connect(key, users[0]);
  EndpointConnection* second = connect(key, users[1]);
  pool->give_back(*first);
  pool->give_back(*second);
  EXPECT_EQ(pool->idle_count(), 1U);
  EXPECT_EQ(pool->open_count(), 1U);
}

TEST_P(EndpointPoolTest, IdleOnesAreDroppedWhenTheEndpointCloses) {
  const EndpointKey key{1, v1().address};
  User user;
  pool->give_back(*connect(key, user));
  ASSERT_TRUE(pump([&] { return !v1().peers.empty(); }));
  v1().peers[0]->close();
  ASSERT_TRUE(pump([&] { return pool->idle_count() == 0; }));
  EXPECT_FALSE(user.eof) << "nobody's business any more";
  EXPECT_EQ(pool->take_idle(key, user), nullptr);
}

TEST_P(EndpointPoolTest, RefusedConnectionsAreTold) {
  v1().stop();
  User user;
  const auto made = pool->connect({1, v1().address}, user, limits, state);
  if (made) {
    ASSERT_TRUE(pump([&] { return user.error != 0; }));
  }
  EXPECT_EQ(made ? user.error : made.error().code, ECONNREFUSED);
  EXPECT_EQ(pool->open_count(), 0U);
}

TEST_P(EndpointPoolTest, DiscardedOnesAreSilent) {
  User user;
  EndpointConnection* connection = connect({1, v1().address}, user);
  ASSERT_TRUE(pump([&] { return !v1().peers.empty(); }));
  pool->discard(*connection, true);
  ASSERT_TRUE(pump([&] { return v1().peers[0]->gone(); }));
  EXPECT_EQ(user.error, 0);
  EXPECT_FALSE(user.eof);
}

TEST_P(EndpointPoolTest, CloseIdleLeavesBusyOnes) {
  User users[2];
  pool->give_back(*connect({1, v1().address}, users[0]));
  connect({1, v2().address}, users[1]);
  pool->close_idle();
  EXPECT_EQ(pool->idle_count(), 0U);
  EXPECT_EQ(pool->open_count(), 1U);
}

TEST_P(EndpointPoolTest, ADestinationKnowsItsConnections) {
  User users[2];
  EndpointConnection* first = connect({1, v1().address}, users[0]);
  pool->give_back(*connect({1, v2().address}, users[1]));
  EXPECT_EQ(state->connections.load(), 2U);
  pool->discard(*first);
  EXPECT_EQ(state->connections.load(), 1U);
  pool.reset();
  EXPECT_EQ(state->connections.load(), 0U);
}

TEST_P(EndpointPoolTest, FullIsOnlyWhereThereIsSomethingToWaitFor) {
  limits.max_connections = 1;
  const EndpointKey here{1, v1().address}, there{1, v2().address};
  EXPECT_FALSE(pool->full(here, limits, *state));
  User user;
  connect(here, user);
  EXPECT_TRUE(pool->full(here, limits, *state));
  EXPECT_FALSE(pool->full(there, limits, *state)) << "nothing there would ever be given back";
  limits.max_connections = 2;
  EXPECT_FALSE(pool->full(here, limits, *state));
}

TEST_P(EndpointPoolTest, WhoWaitsIsCalledInOrder) {
  limits.max_connections = 1;
  const EndpointKey key{1, v1().address};
  User users[4];
  EndpointConnection* busy = connect(key, users[0]);
  for (int number = 1; number < 4; ++number) pool->wait(key, users[number], limits, state);
  for (int number = 1; number < 4; number += 2) {
    users[number].on_free = [&, number] { EXPECT_EQ(pool->take_idle(key, users[number]), busy); };
  }
  pool->stop_waiting(key, users[2]);
  settle(3);
  EXPECT_EQ(users[1].freed, 0);
  pool->give_back(*busy);
  EXPECT_EQ(users[1].freed, 0) << "not from inside of somebody's call";
  ASSERT_TRUE(pump([&] { return users[1].freed == 1; }));
  settle(3);
  EXPECT_EQ(users[3].freed, 0);
  pool->give_back(*busy);
  ASSERT_TRUE(pump([&] { return users[3].freed == 1; }));
  EXPECT_EQ(users[2].freed, 0);
}

TEST_P(EndpointPoolTest, WhoComesLaterTakesNothingFromWhoWaits) {
  limits.max_connections = 1;
  const EndpointKey key{1, v1().address};
  User users[3];
  EndpointConnection* busy = connect(key, users[0]);
  users[1].on_free = [&] { EXPECT_EQ(pool->take_idle(key, users[1]), busy); };
  pool->wait(key, users[1], limits, state);
  pool->give_back(*busy);
  EXPECT_EQ(pool->take_idle(key, users[2]), nullptr);
  EXPECT_TRUE(pool->full(key, limits, *state));
  ASSERT_TRUE(pump([&] { return users[1].freed == 1; }));
  pool->discard(*busy);
  EXPECT_FALSE(pool->full(key, limits, *state)) << "nobody waits any more";
}

TEST_P(EndpointPoolTest, WhoIsCalledInVainKeepsItsPlace) {
  limits.max_connections = 1;
  const EndpointKey key{1, v1().address};
  User users[4];
  EndpointConnection* first = connect(key, users[0]);
  limits.max_connections = 2;
  EndpointConnection* second = connect(key, users[1]);
  users[2].on_free = [&] {
    if (users[2].freed == 1) pool->wait(key, users[2], limits, state);  // it could not make use of it
  };
  pool->wait(key, users[2], limits, state);
  pool->wait(key, users[3], limits, state);
  state->connections.fetch_add(1);  // another thread's, made in the very same moment
  pool->discard(*first);
  settle(3);
  EXPECT_EQ(users[2].freed + users[3].freed, 0) << "there is no room";
  state->connections.fetch_sub(1);
  pool->discard(*second);
  ASSERT_TRUE(pump([&] { return users[3].freed == 1; }));
  EXPECT_EQ(users[2].freed, 2) << "first";
}

/// Whoever is called and cannot make use of it, without a word: the next ones do not wait for ever.
TEST_P(EndpointPoolTest, TheNextIsCalledIfTheFirstTakesNothing) {
  limits.max_connections = 1;
  const EndpointKey key{1, v1().address};
  User users[3];
  EndpointConnection* busy = connect(key, users[0]);
  pool->wait(key, users[1], limits, state);
  pool->wait(key, users[2], limits, state);
  pool->discard(*busy);
  ASSERT_TRUE(pump([&] { return users[1].freed == 1 && users[2].freed == 1; }));
}

TEST_P(EndpointPoolTest, OldAndUsedUpOnesAreNotKept) {
  const EndpointKey key{1, v1().address};
  User users[2];
  limits.max_requests_a_connection = 2;
  EndpointConnection* connection = connect(key, users[0]);
  pool->give_back(*connection);
  ASSERT_EQ(pool->take_idle(key, users[0]), connection);
  pool->give_back(*connection);
  EXPECT_EQ(pool->open_count(), 0U);
  limits = {};
  limits.max_connection_age = milliseconds(1);
  connection = connect(key, users[1]);
  ASSERT_TRUE(pump([&, end = std::chrono::steady_clock::now() + milliseconds(3)] {
    return std::chrono::steady_clock::now() > end;
  }));
  pool->give_back(*connection);
  EXPECT_EQ(pool->open_count(), 0U);
}

TEST_P(EndpointPoolTest, IdleOnesEndAfterTheDestinationsOwnTime) {
  limits.idle_timeout = milliseconds(20);
  User user;
  pool->give_back(*connect({1, v1().address}, user));
  EXPECT_EQ(pool->idle_count(), 1U);
  ASSERT_TRUE(pump([&] { return pool->open_count() == 0; }));
}

TEST_P(EndpointPoolTest, ConnectionsAreProbedWhereTheRuleSaysSo) {
  const auto probed = [&] {
    User user;
    EndpointConnection* connection = connect({1, v1().address}, user);
    int value = 0;
    socklen_t length = sizeof value;
    EXPECT_EQ(::getsockopt(connection->stream().fd(), SOL_SOCKET, SO_KEEPALIVE, &value, &length), 0);
    pool->discard(*connection);
    return value;
  };
  EXPECT_EQ(probed(), 0);
  limits.keepalive = net::Keepalive{.probes = 3};
  EXPECT_EQ(probed(), 1);
}

}  // namespace
}  // namespace weir::proxy
