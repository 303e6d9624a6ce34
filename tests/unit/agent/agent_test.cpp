// The whole agent, in a cgroup and a bpffs of the test's own. Covers agent.cpp, agent_admin.cpp and agent_log.cpp.

#include "agent/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "admin/client.h"
#include "samples.h"
#include "tests/bpf/sandbox.h"
#include "tests/unit/support/temp_dir.h"

namespace weir::agent {
namespace {

using ::testing::HasSubstr;

class AgentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!sandbox_.missing().empty()) GTEST_SKIP() << sandbox_.missing();
    std::filesystem::create_directory(folder_);
    write("services.yaml", kServices);
    write("rule.yaml", split_rule(90, 10));
  }
  void TearDown() override {
    stop();
    if (sandbox_.missing().empty()) (void)datapath::uninstall(sandbox_.bpffs_dir());
  }
  void write(const std::string& name, const std::string& text) {
    // As careful programs do.
    std::ofstream(folder_ + "/." + name) << text;
    std::filesystem::rename(folder_ + "/." + name, folder_ + "/" + name);
  }
  Options options() {
    Options options;
    options.config_dir = folder_;
    options.cgroup = sandbox_.cgroup();
    options.bpffs_dir = sandbox_.bpffs_dir();
    options.run_dir = dir_.file("run");
    options.node = "test";
    options.sizes = sandbox_.options().sizes;
    options.debounce = std::chrono::milliseconds(5);
    return options;
  }
  void start() {
    auto made = Agent::create(options());
    ASSERT_TRUE(made) << made.error().message;
    agent_ = std::move(*made);
    thread_ = std::thread([this] { agent_->run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    ::kill(::getpid(), SIGTERM);
    thread_.join();
    agent_.reset();
  }
  Json get(const std::string& path) {
    const auto reply = client_.get(path);
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? Json::parse(reply->body) : Json();
  }
  Json post(const std::string& path, const std::string& body) {
    const auto reply = client_.post(path, body);
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? Json::parse(reply->body) : Json();
  }
  /// Status once it and the kernel say the same. The first look at the pods' namespaces makes a generation of its own,
  /// and may come between the two being read.
  Json settled_status() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    Json status = get("/status");
    while (status["datapath"]["generation"] != status["generation"] && std::chrono::steady_clock::now() < deadline)
      status = get("/status");
    return status;
  }
  double intended(size_t i) { return get("/splits")["splits"][0]["destinations"][i]["intended"]; }

  datapath::test::Sandbox sandbox_;
  test::TempDir dir_;
  std::string folder_ = dir_.file("config");
  admin::Client client_{dir_.file("run") + "/weir.sock"};
  std::unique_ptr<Agent> agent_;
  std::thread thread_;
};

TEST_F(AgentTest, IsReadyWithItsFirstConfiguration) {
  start();
  const auto status = settled_status();
  EXPECT_TRUE(status["healthy"].get<bool>()) << status.dump(2);
  EXPECT_TRUE(status["ready"].get<bool>());
  EXPECT_EQ(status["agent"]["node"], "test");
  EXPECT_EQ(status["datapath"]["generation"], status["generation"]);
  EXPECT_EQ(get("/services")["services"][0]["path"], "kernel");
  EXPECT_EQ(get("/endpoints")["endpoints"].size(), 2U);
  EXPECT_EQ(get("/routes")["routes"].size(), 1U);
  EXPECT_GT(get("/maps")["maps"].size(), 3U);
}

TEST_F(AgentTest, ReloadTakesTheFolderOverAtOnce) {
  start();
  const auto before = get("/status")["generation"].get<uint64_t>();
  write("rule.yaml", split_rule(25, 75));
  const auto answer = post("/reload", "{}");
  EXPECT_TRUE(answer["accepted"].get<bool>()) << answer.dump();
  EXPECT_GT(answer["generation"], before);  // by one, and perhaps that of the first look at the namespaces
  EXPECT_DOUBLE_EQ(intended(0), 0.25);
}

TEST_F(AgentTest, ReloadSaysWhyNot) {
  start();
  write("rule.yaml", split_rule(-1, 75));
  const auto answer = post("/reload", "{}");
  EXPECT_FALSE(answer["accepted"].get<bool>());
  EXPECT_THAT(answer["summary"].get<std::string>(), HasSubstr("rule.yaml:9:15"));
  EXPECT_EQ(get("/status")["config"]["state"], "config");
  EXPECT_DOUBLE_EQ(intended(0), 0.9);
  write("rule.yaml", split_rule(1, 1));
  EXPECT_TRUE(post("/reload", "{}")["accepted"].get<bool>());
  EXPECT_EQ(get("/status")["config"]["state"], "ok");
}

TEST_F(AgentTest, FollowsTheFolderByItself) {
  start();
  write("rule.yaml", split_rule(25, 75));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (intended(0) != 0.25 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_DOUBLE_EQ(intended(0), 0.25);
}

TEST_F(AgentTest, ExplainComparesWithTheKernel) {
  start();
  const auto answer = post("/explain", R"({"from_pod": "default/reviews-1", "host": "reviews:9080", "port": 9080})");
  EXPECT_EQ(answer["decision"]["service"], kReviews);
  EXPECT_TRUE(answer["kernel"]["agrees"].get<bool>()) << answer["kernel"].dump();
  EXPECT_FALSE(answer["steps"].empty());
}

TEST_F(AgentTest, ExplainRefusesNonsense) {
  start();
  EXPECT_EQ(client_.post("/explain", "{")->status, 400);
  EXPECT_EQ(client_.post("/explain", "[]")->status, 400);
  EXPECT_EQ(client_.post("/explain", R"({"port": 0})")->status, 400);
  EXPECT_EQ(client_.get("/explain")->status, 405);
}

TEST_F(AgentTest, BrokenFolderAtTheStart) {
  write("rule.yaml", "kind: [");
  start();
  const auto status = get("/status");
  EXPECT_FALSE(status["ready"].get<bool>());
  EXPECT_EQ(status["config"]["state"], "config");
  write("rule.yaml", split_rule(1, 1));
  EXPECT_TRUE(post("/reload", "{}")["accepted"].get<bool>());
  EXPECT_TRUE(get("/status")["ready"].get<bool>());
}

TEST_F(AgentTest, NextAgentAdoptsWithoutAWrite) {
  start();
  const auto generation = get("/status")["generation"].get<uint64_t>();
  stop();
  start();
  const auto status = get("/status");
  EXPECT_TRUE(status["datapath"]["adopted"].get<bool>());
  EXPECT_EQ(status["last_apply"]["operations"], 0) << status["last_apply"].dump();
  EXPECT_GE(status["generation"].get<uint64_t>(), generation);
}

TEST_F(AgentTest, NextAgentKeepsThePinnedSplitOfABrokenFolder) {
  start();
  stop();
  write("rule.yaml", "kind: [");
  start();
  const auto maps = datapath::read_maps(sandbox_.bpffs_dir());
  ASSERT_TRUE(maps);
  EXPECT_EQ(maps->splits.size(), 1U);
  EXPECT_TRUE(get("/status")["datapath"]["hooks"][0]["attached"].get<bool>());
}

TEST_F(AgentTest, SecondAgentIsRefused) {
  start();
  const auto second = Agent::create(options());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another agent (pid " + std::to_string(::getpid())));
}

TEST_F(AgentTest, MissingCgroupIsAnError) {
  auto wrong = options();
  wrong.cgroup = "/nonexistent";
  EXPECT_FALSE(Agent::create(wrong));
}

}  // namespace
}  // namespace weir::agent
