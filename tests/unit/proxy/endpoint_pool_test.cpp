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
  int error = 0;
};

class EndpointPoolTest : public ProxyTest {
 protected:
  void SetUp() override {
    ProxyTest::SetUp();
    if (loop != nullptr) pool = std::make_unique<EndpointPool>(*loop, options);
  }
  void TearDown() override { pool.reset(); }

  EndpointConnection* connect(const EndpointKey& key, User& user) {
    auto made = pool->connect(key, user, std::chrono::seconds(5));
    EXPECT_TRUE(made);
    EXPECT_TRUE(pump([&] { return user.connected; }));
    return *made;
  }
  std::unique_ptr<EndpointPool> pool;
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
  const auto made = pool->connect({1, v1().address}, user, std::chrono::seconds(5));
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

}  // namespace
}  // namespace weir::proxy
