#include "agent/dns/name_resolver.h"

#include <set>
#include <thread>

#include "dns_server.h"

namespace weir::agent {
namespace {

using std::chrono::milliseconds;

/// The loop runs in a thread of its own; what the test asks of server and resolver runs there, too.
class NameResolverTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = EventLoop::create();
    ASSERT_TRUE(made);
    loop_ = std::move(*made);
    server_ = std::make_unique<DnsServer>(*loop_);
    server_->answer = [this](const std::string& name, int type, bool) { return from_zone(name, type); };
    options_.servers = {server_->address()};
    options_.timeout = milliseconds(100);
    options_.tries = 1;
    options_.least_ttl = options_.first_retry = options_.most_retry = milliseconds(20);
    thread_ = std::thread([this] { loop_->run(); });
  }
  void TearDown() override {
    on_loop([this] {
      resolver_.reset();
      loop_->stop();
    });
    thread_.join();
  }

  void on_loop(const std::function<void()>& work) { EXPECT_TRUE(loop_->call(work, std::chrono::seconds(10))); }
  void start(std::vector<std::string> names) {
    on_loop([&] {
      auto made = NameResolver::create(options_, *loop_, [this] { ++changes_; });
      ASSERT_TRUE(made) << made.error().message;
      resolver_ = std::move(*made);
      resolver_->want(names);
    });
  }
  void want(const std::vector<std::string>& names) {
    on_loop([&] { resolver_->want(names); });
  }
  bool until(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (bool now = false; std::chrono::steady_clock::now() < end; std::this_thread::yield()) {
      on_loop([&] { now = holds(); });
      if (now) return true;
    }
    return false;
  }
  std::string addresses(const std::string& name) const {
    std::string text;
    const ResolvedNameStates states = resolver_->states();
    const auto found = states.find(name);
    if (found == states.end()) return {};
    for (const IpAddress& address : found->second.addresses) text += (text.empty() ? "" : " ") + address.to_string();
    return text;
  }
  std::string error(const std::string& name) const { return resolver_->states()[name].error; }
  bool becomes(const std::string& name, const std::string& wanted) {
    const bool reached = until([&] { return addresses(name) == wanted; });
    if (!reached) on_loop([&] { ADD_FAILURE() << name << " is \"" << addresses(name) << "\", " << error(name); });
    return reached;
  }
  /// The name is asked for from now on at least once more.
  bool is_asked_again(const std::string& name) {
    const auto times = [&] { return std::count(server_->asked.begin(), server_->asked.end(), name); };
    long before = 0;
    on_loop([&] { before = times(); });
    return until([&] { return times() >= before + 2; });
  }

  DnsReply from_zone(const std::string& name, int type) const {
    DnsReply reply;
    std::string at = name;
    for (int step = 0; step < 8; ++step) {
      const auto alias = aliases_.find(at);
      if (alias == aliases_.end()) break;
      reply.records.push_back({at, kCname, ttl_, alias->second});
      at = alias->second;
    }
    const auto found = zone_.find(at);
    if (found == zone_.end() && reply.records.empty()) reply.rcode = 3;
    if (found == zone_.end()) return reply;
    for (const std::string& text : found->second)
      if (IpAddress::parse(text)->is_v4() == (type == kA)) reply.records.push_back({at, type, ttl_, text});
    return reply;
  }

  std::map<std::string, std::vector<std::string>> zone_{{"a.test", {"10.0.0.1"}}};  // the loop's thread, once it runs
  std::map<std::string, std::string> aliases_;
  uint32_t ttl_ = 3600;
  NameResolverOptions options_;
  int changes_ = 0;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<DnsServer> server_;
  std::unique_ptr<NameResolver> resolver_;
  std::thread thread_;
};

TEST_F(NameResolverTest, AddressesOfBothFamilies) {
  zone_["a.test"] = {"10.0.0.2", "10.0.0.1", "fd00::1"};
  zone_["four.test"] = {"10.0.0.4"};
  zone_["six.test"] = {"fd00::6"};
  start({"a.test", "four.test", "six.test"});
  EXPECT_TRUE(becomes("a.test", "10.0.0.1 10.0.0.2 fd00::1"));
  EXPECT_TRUE(becomes("four.test", "10.0.0.4"));
  EXPECT_TRUE(becomes("six.test", "fd00::6"));
  EXPECT_TRUE(until([&] { return resolver_->addresses().size() == 3; }));
}

TEST_F(NameResolverTest, AliasesAreFollowed) {
  aliases_ = {{"www.test", "edge.test"}, {"edge.test", "a.test"}};
  start({"www.test"});
  EXPECT_TRUE(becomes("www.test", "10.0.0.1"));
}

TEST_F(NameResolverTest, AnAnswerOfNoTimeIsKeptForTheLeastOne) {
  ttl_ = 0;
  start({"a.test"});
  ASSERT_TRUE(becomes("a.test", "10.0.0.1"));
  EXPECT_TRUE(is_asked_again("a.test"));
  EXPECT_EQ(changes_, 1) << "the same again is no news";
}

TEST_F(NameResolverTest, NoAnswerIsGoodForEver) {
  ttl_ = 2'000'000'000;
  options_.most_ttl = milliseconds(20);
  start({"a.test"});
  ASSERT_TRUE(becomes("a.test", "10.0.0.1"));
  EXPECT_TRUE(is_asked_again("a.test"));
}

TEST_F(NameResolverTest, ChangedAnswersAreFollowedAndTurnedOnesAreNoNews) {
  ttl_ = 0;
  zone_["a.test"] = {"10.0.0.1", "10.0.0.2"};
  start({"a.test"});
  ASSERT_TRUE(becomes("a.test", "10.0.0.1 10.0.0.2"));
  on_loop([&] { zone_["a.test"] = {"10.0.0.2", "10.0.0.1"}; });
  ASSERT_TRUE(is_asked_again("a.test"));
  EXPECT_EQ(changes_, 1);
  on_loop([&] { zone_["a.test"] = {"10.0.0.3"}; });
  EXPECT_TRUE(becomes("a.test", "10.0.0.3"));
}

TEST_F(NameResolverTest, FailuresKeepTheLastAnswer) {
  ttl_ = 0;
  start({"a.test"});
  ASSERT_TRUE(becomes("a.test", "10.0.0.1"));
  const std::vector<std::pair<const char*, DnsReply>> failures = {
      {"no such name", {.rcode = 3}},       {"no address", {}},
      {"a server's trouble", {.rcode = 2}}, {"refused", {.rcode = 5}},
      {"silence", {.silent = true}},        {"garbage", {.garbage = "\x81\x80\xff\xff\xff\xff\x00\x01 what is this"}},
      {"cut off", {.garbage = "\x81"}}};
  for (const auto& [what, reply] : failures) {
    on_loop([&] { server_->answer = [reply = reply](const std::string&, int, bool) { return reply; }; });
    EXPECT_TRUE(until([&] { return !error("a.test").empty(); })) << what;
    EXPECT_TRUE(until([&] { return addresses("a.test") == "10.0.0.1"; })) << what;
    on_loop(
        [&] { server_->answer = [this](const std::string& name, int type, bool) { return from_zone(name, type); }; });
    EXPECT_TRUE(until([&] { return error("a.test").empty(); })) << what;
  }
}

TEST_F(NameResolverTest, ANameThatDoesNotExistHasNoAddressesAndIsTriedAgain) {
  start({"b.test"});
  EXPECT_TRUE(until([&] { return !error("b.test").empty(); }));
  on_loop([&] { EXPECT_TRUE(resolver_->addresses().empty()); });
  on_loop([&] { zone_["b.test"] = {"10.0.0.9"}; });
  EXPECT_TRUE(becomes("b.test", "10.0.0.9"));
}

/// One family fails, the other has an answer.
TEST_F(NameResolverTest, HalfAnAnswerIsOne) {
  server_->answer = [](const std::string& name, int type, bool) {
    if (type != kA) return DnsReply{.rcode = 3};
    return DnsReply{.records = {{name, kA, 60, "10.0.0.1"}}};
  };
  start({"a.test"});
  EXPECT_TRUE(becomes("a.test", "10.0.0.1"));
}

TEST_F(NameResolverTest, ATruncatedAnswerIsAskedForByTcp) {
  bool by_tcp = false;
  server_->answer = [&](const std::string& name, int type, bool tcp) {
    by_tcp = by_tcp || tcp;
    DnsReply reply = from_zone(name, type);
    reply.truncated = true;
    return reply;
  };
  zone_["a.test"].clear();
  for (int number = 1; number <= 60; ++number) zone_["a.test"].push_back("10.0.0." + std::to_string(number));
  start({"a.test"});
  EXPECT_TRUE(until([&] { return resolver_->states()["a.test"].addresses.size() == 60; }));
  EXPECT_TRUE(by_tcp);
}

TEST_F(NameResolverTest, NoMoreAddressesOfOneNameThanAllowed) {
  options_.most_addresses = 2;
  zone_["a.test"] = {"10.0.0.3", "10.0.0.1", "10.0.0.2"};
  start({"a.test"});
  EXPECT_TRUE(becomes("a.test", "10.0.0.1 10.0.0.2"));
}

TEST_F(NameResolverTest, WhatNobodyWantsIsForgottenAndNotAskedForAgain) {
  ttl_ = 0;
  zone_["b.test"] = {"10.0.0.2"};
  start({"a.test", "b.test"});
  ASSERT_TRUE(becomes("b.test", "10.0.0.2"));
  want({"a.test"});
  on_loop([&] { server_->asked.clear(); });
  EXPECT_TRUE(is_asked_again("a.test"));
  on_loop([&] {
    EXPECT_FALSE(resolver_->states().contains("b.test"));
    EXPECT_LE(std::count(server_->asked.begin(), server_->asked.end(), "b.test"), 2) << "what was under way at most";
  });
  want({"a.test", "b.test"});
  EXPECT_TRUE(becomes("b.test", "10.0.0.2"));
}

TEST_F(NameResolverTest, NoMoreAreLookedUpAtOnceThanAllowed) {
  options_.most_at_once = 2;
  options_.timeout = std::chrono::minutes(1);
  server_->answer = [](const std::string&, int, bool) { return DnsReply{.silent = true}; };
  std::vector<std::string> names;
  for (int number = 0; number < 20; ++number) names.push_back("n" + std::to_string(number) + ".test");
  start(names);
  EXPECT_TRUE(until([&] { return server_->asked.size() >= 4; })) << "two names, two families";
  want({"n0.test", "n1.test", "n2.test"});
  on_loop([&] { EXPECT_EQ(std::set<std::string>(server_->asked.begin(), server_->asked.end()).size(), 2U); });
}

TEST_F(NameResolverTest, AServerThatIsNoneIsSaid) {
  options_.servers = {"not an address"};
  on_loop([&] {
    const auto made = NameResolver::create(options_, *loop_, [] {});
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message.find("not an address"), std::string::npos);
  });
}

TEST_F(NameResolverTest, NobodyListens) {
  options_.servers = {"127.0.0.1:1"};
  start({"a.test"});
  EXPECT_TRUE(until([&] { return !error("a.test").empty(); }));
}

}  // namespace
}  // namespace weir::agent
