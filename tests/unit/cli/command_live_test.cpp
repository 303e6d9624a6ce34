// Commands against an agent, whose answers are put in its mouth here.

#include <gmock/gmock.h>

#include "admin/server.h"
#include "cli_fixture.h"

namespace weir::cli {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

constexpr const char* kSplits = R"({"generation": 7, "splits": [{"name": "default/reviews:9080/reviews#0/v4",
  "service": "reviews.default.svc.cluster.local", "namespace": "default", "port": 9080, "path": "kernel", "fallback": false,
  "rule": {"kind": "VirtualService", "namespace": "default", "name": "reviews", "route": "", "index": 0, "file": "r.yaml",
           "line": 18, "column": 5}, "in_kernel": true, "destinations": [
  {"host": "reviews.default.svc.cluster.local", "port": 9080, "subset": "v1", "weight": 90, "intended": 0.9, "observed": 0.91,
   "picked_since_change": 91, "endpoints": 1, "picked": 910, "opened": 900, "closed": 899, "open": 1},
  {"host": "reviews.default.svc.cluster.local", "port": 9080, "subset": "v2", "weight": 10, "intended": 0.1, "observed": null,
   "picked_since_change": 0, "endpoints": 1, "picked": 0, "opened": 0, "closed": 0, "open": 0}]}]})";

class Live : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    answer("/splits", kSplits);
    answer("/services", services_);
    ASSERT_TRUE(server_.start(socket_));
  }
  void answer(const std::string& path, const std::string& body, int status = 200) {
    server_.add(
        admin::Method::kGet, path,
        [=](const admin::Request&) {
          return admin::Response{status, body};
        },
        "");
  }
  Outcome live(std::vector<std::string> words) {
    words.insert(words.end(), {"--socket", socket_});
    return weir(words);
  }
  std::string services_ = R"({"generation": 7, "services": []})";
  std::string socket_ = dir_.file("s");
  admin::Server server_;
};

TEST_F(Live, SplitsAsATable) {
  const auto done = live({"get", "splits"});
  EXPECT_EQ(done.code, kOk) << done.err;
  EXPECT_EQ(done.out,
            "SERVICE       RULE       DESTINATION  WEIGHT  INTENDED  OBSERVED  PICKED  OPEN  ENDPOINTS\n"
            "reviews:9080  reviews#0  v1               90       90%       91%     910     1          1\n"
            "reviews:9080  reviews#0  v2               10       10%         -       0     0          1\n");
}

TEST_F(Live, AliasFilterAndForms) {
  EXPECT_EQ(live({"get", "sp", "reviews", "-o", "name"}).out, "split/default/reviews:9080/reviews#0/v4\n");
  EXPECT_EQ(live({"get", "splits", "ratings"}).out, "");
  EXPECT_EQ(live({"get", "splits", "-n", "other", "-o", "json"}).json()["splits"].size(), 0U);
  EXPECT_EQ(live({"get", "splits", "-o", "json"}).json()["generation"], 7);
  EXPECT_THAT(live({"get", "splits", "-o", "yaml"}).out, HasSubstr("generation: 7\nsplits:\n- name: "));
  EXPECT_THAT(live({"get", "splits", "--no-headers"}).out, HasSubstr("reviews:9080"));
  EXPECT_THAT(live({"get", "splits", "-o", "wide"}).out, HasSubstr("r.yaml:18:5"));
}

TEST_F(Live, NothingThereIsSaidOnErr) {
  const auto done = live({"get", "services"});
  EXPECT_EQ(done.code, kOk);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(done.err, "no services\n");
}

class LiveServices : public Live {
 protected:
  LiveServices() {
    services_ = R"({"generation": 7, "services": [
      {"service": "reviews.default.svc.cluster.local", "namespace": "default", "name": "reviews", "port": 9080,
       "protocol": "http", "addresses": ["10.96.0.1"], "path": "proxy", "reason": "a rule looks into the request",
       "endpoints": 3, "frontends": [], "picked": 0, "opened": 0, "closed": 0, "open": 0},
      {"service": "ratings.default.svc.cluster.local", "namespace": "default", "name": "ratings", "port": 9080,
       "protocol": "http", "addresses": ["10.96.0.2"], "path": "kernel", "reason": "", "endpoints": 1, "frontends": [],
       "picked": 0, "opened": 0, "closed": 0, "open": 0}]})";
  }
};

// 0 would say that nobody came, while the proxy takes thousands of requests.
TEST_F(LiveServices, WhatTheKernelDoesNotPickIsNoZero) {
  const auto done = live({"get", "services"});
  EXPECT_EQ(done.code, kOk) << done.err;
  EXPECT_THAT(done.out, ContainsRegex("reviews +10.96.0.1 +9080 +proxy +3 +- +-"));
  EXPECT_THAT(done.out, ContainsRegex("ratings +10.96.0.2 +9080 +kernel +1 +0 +0"));
}

TEST_F(Live, UnknownNoun) {
  const auto done = live({"get", "splots"});
  EXPECT_EQ(done.code, kUsage);
  EXPECT_THAT(done.err, HasSubstr("did you mean \"splits\"?"));
  EXPECT_EQ(live({"describe", "pod", "x"}).code, kUsage);
}

TEST_F(Live, AgentThatDoesNotKnowThePath) {
  const auto done = live({"get", "routes"});
  EXPECT_EQ(done.code, kError);
  EXPECT_THAT(done.err, HasSubstr("the agent says: no such path: /routes"));
}

TEST(Unreachable, EveryCommandThatAsksSaysSo) {
  const test::TempDir dir;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"get", "splits"},
                                             {"get", "svc"},
                                             {"describe", "service", "x"},
                                             {"explain", "--to", "http://x/"},
                                             {"weight", "x", "v1=1"},
                                             {"status", "--bpffs", "/nonexistent"}}) {
    auto all = words;
    all.insert(all.end(), {"--run-dir", dir.file("run")});
    const auto done = weir(all);
    EXPECT_EQ(done.code, kUnreachable) << words[0] << done.err;
    EXPECT_THAT(done.err, HasSubstr("no agent runs at " + dir.file("run") + "/weir.sock"));
    EXPECT_THAT(done.err, HasSubstr("hint: "));
  }
}

TEST(Maps, NothingPinned) {
  const auto done = weir({"maps", "--bpffs", "/nonexistent/weir"});
  EXPECT_EQ(done.code, kError);
  EXPECT_THAT(done.err, HasSubstr("no maps are pinned at /nonexistent/weir"));
}

TEST(Version, TextAndJson) {
  EXPECT_THAT(weir({"version"}).out, HasSubstr("weir " WEIR_VERSION));
  EXPECT_EQ(weir({"version", "-o", "json"}).json()["abi"], 3);
}

TEST(Completion, Bash) {
  EXPECT_THAT(weir({"completion", "bash"}).out, HasSubstr("complete -F _weir weir"));
  EXPECT_EQ(weir({"completion", "powershell"}).code, kUsage);
}

TEST(AgentCommand, UsageErrors) {
  const test::TempDir dir;
  EXPECT_EQ(weir({"agent"}).code, kUsage);
  EXPECT_EQ(weir({"agent", "--config", dir.path(), "--debounce", "soon"}).code, kUsage);
  EXPECT_EQ(weir({"agent", "--config", dir.path(), "--reconcile-interval", "0"}).code, kUsage);
  EXPECT_EQ(weir({"agent", "--config", dir.path(), "--services", "some"}).code, kUsage);
  EXPECT_EQ(weir({"agent", "--config", dir.path(), "--map-splits", "0"}).code, kUsage);
  std::ofstream(dir.file("f.yaml")) << "";
  EXPECT_EQ(weir({"agent", "--config", dir.file("f.yaml")}).code, kUsage);
}

}  // namespace
}  // namespace weir::cli
