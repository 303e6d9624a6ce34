// Whatever somebody writes into the maps: no client may end up at an address that no rule names, and the kernel stays
// up.

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <random>

#include "datapath/map_set.h"
#include "fixture.h"

namespace weir::datapath::test {
namespace {

constexpr const char* kVip = "127.9.0.1";

class GarbageTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    if (IsSkipped()) return;
    a = servers.start('a');
    other = servers.start('o');
    datapath.emplace(start(make_plan(
        {make_service("a", kVip, 80, {{1, {a}}}), make_service("o", "127.9.0.2", 80, {{1, {other, other}}})})));
    for (const char* name : {"frontends", "splits", "endpoints", "cursors", "counters", "sockets", "sources"})
      maps[name].reset(bpf_obj_get((sandbox.bpffs_dir() + "/maps/" + name).c_str()));
    id = split_of(*datapath, "a")->id;
    ASSERT_EQ(bpf_map_lookup_elem(maps["splits"].get(), &id, &split), 0);
    first = split.destinations[0].first;
    ASSERT_EQ(bpf_map_lookup_elem(maps["endpoints"].get(), &first, &endpoint), 0);
  }

  void write_split(const std::function<void(abi::split&)>& change) {
    abi::split changed = split;
    change(changed);
    ASSERT_EQ(bpf_map_update_elem(maps["splits"].get(), &id, &changed, BPF_ANY), 0);
  }
  void write_endpoint(const std::function<void(abi::endpoint&)>& change) {
    abi::endpoint changed = endpoint;
    change(changed);
    ASSERT_EQ(bpf_map_update_elem(maps["endpoints"].get(), &first, &changed, BPF_ANY), 0);
  }
  /// Nobody listens on the service's own address: left alone means refused by the stack.
  void expect_left_alone(const char* reason) {
    const uint64_t before = verdict(*datapath, reason);
    EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
    EXPECT_EQ(verdict(*datapath, reason), before + 1);
  }

  routing::PlanEndpoint a, other;
  std::optional<Datapath> datapath;
  std::map<std::string, FileDescriptor> maps;
  uint32_t id = 0, first = 0;
  abi::split split{};
  abi::endpoint endpoint{};
};

TEST_F(GarbageTest, AFrontendOfASplitThatIsNotThere) {
  abi::frontend_key key{};
  std::memcpy(key.address, IpAddress::parse(kVip)->bytes().data(), 16);
  key.port = htons(80);
  key.protocol = 6;
  abi::frontend value{};
  ASSERT_EQ(bpf_map_lookup_elem(maps["frontends"].get(), &key, &value), 0);
  value.split = 200;
  ASSERT_EQ(bpf_map_update_elem(maps["frontends"].get(), &key, &value, BPF_ANY), 0);
  expect_left_alone("split_missing");
  value.split = 0xffffffff;  // no cursor either
  ASSERT_EQ(bpf_map_update_elem(maps["frontends"].get(), &key, &value, BPF_ANY), 0);
  expect_left_alone("bad_value");
  value.split = id;
  value.check ^= 1;  // written for another key
  ASSERT_EQ(bpf_map_update_elem(maps["frontends"].get(), &key, &value, BPF_ANY), 0);
  expect_left_alone("not_ours");
}

TEST_F(GarbageTest, SplitsThatMakeNoSense) {
  const std::vector<std::function<void(abi::split&)>> changes{
      [](abi::split& s) { s.destination_count = 0; },
      [](abi::split& s) { s.mode = 99; },
      [](abi::split& s) { s.destination_count = 2; },  // no forks
      [](abi::split& s) {
        s.destination_count = 2;
        s.forks[0] = {.share = 1, .rare = abi::FORK_BASE, .common = abi::FORK_BASE, .pad = 0};  // a loop
      },
      [](abi::split& s) { s.destinations[0].first = 0xffffffff; },
      [](abi::split& s) { s.destinations[0].count = 0xffffffff; },
      [](abi::split& s) { s.destinations[0].first = 0; },
      [this](abi::split& s) { s.destinations[0].first = first + 1; },  // the other service's range
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    SCOPED_TRACE(i);
    write_split(changes[i]);
    expect_left_alone("bad_value");
  }
  EXPECT_FALSE(datapath->reconcile()->drift.empty());
  EXPECT_EQ(ask(kVip, 80), 'a');
}

TEST_F(GarbageTest, EndpointsThatMakeNoSense) {
  write_endpoint([](abi::endpoint& e) { e.split += 1; });
  expect_left_alone("bad_value");
  write_endpoint([](abi::endpoint& e) { e.port = 0; });
  expect_left_alone("bad_value");
  // A v6 endpoint for a v4 client.
  write_endpoint([](abi::endpoint& e) { e.address[0] = 0xfd; });
  expect_left_alone("bad_value");
}

TEST_F(GarbageTest, ACounterOutOfBoundsIsNotCounted) {
  write_endpoint([](abi::endpoint& e) { e.counter = 0xfffffff0; });
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_EQ(ask(kVip, 80), 'a');
}

TEST_F(GarbageTest, ARecordOfAnotherAddressIsNotShown) {
  const Connection connection = connect_to(kVip, 80);
  uint64_t cookie = 0;
  ASSERT_EQ(bpf_map_get_next_key(maps["sockets"].get(), nullptr, &cookie), 0);
  abi::socket_record record{};
  ASSERT_EQ(bpf_map_lookup_elem(maps["sockets"].get(), &cookie, &record), 0);
  record.endpoint_address[15] ^= 1;
  ASSERT_EQ(bpf_map_update_elem(maps["sockets"].get(), &cookie, &record, BPF_ANY), 0);
  EXPECT_EQ(peer_of(connection.fd.get()), to_string(a.address, a.port));
}

TEST_F(GarbageTest, RandomBytesInEveryMap) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    write_split([&](abi::split& s) {
      auto* bytes = reinterpret_cast<uint8_t*>(&s);
      for (int i = 0; i < 8; ++i) bytes[random() % sizeof(s)] = static_cast<uint8_t>(random());
    });
    write_endpoint([&](abi::endpoint& e) {
      // Anything but the address and port themselves: those are what the agent vouches for.
      e.last = static_cast<uint32_t>(random());
      e.counter = static_cast<uint32_t>(random());
      e.split = random() % 2 == 0 ? id : static_cast<uint32_t>(random());
    });
    const char answered = ask(kVip, 80);
    EXPECT_TRUE(answered == 'a' || answered == '!') << answered;
  }
  const auto view = datapath->read();
  ASSERT_TRUE(view) << "garbage can be read as well";
  ASSERT_TRUE(datapath->reconcile());
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_TRUE(datapath->read()->problems.empty());
}

}  // namespace
}  // namespace weir::datapath::test
