#include <gmock/gmock.h>

#include "cli_fixture.h"

namespace weir::cli {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class Explain : public CliTest {};

TEST_F(Explain, SaysServicePathRuleAndShares) {
  const auto done = offline({"explain", "--to", "http://reviews:9080/"});
  EXPECT_EQ(done.code, kOk) << done.err;
  EXPECT_THAT(done.out, HasSubstr("reviews.default.svc.cluster.local:9080"));
  EXPECT_THAT(done.out, HasSubstr("kernel, per connection"));
  EXPECT_THAT(done.out, HasSubstr("VirtualService default/reviews, route 0 (rules.yaml:18:"));
  EXPECT_THAT(done.out, ContainsRegex("v1 +9080 +90 +90% +10\\.1\\.0\\.1:9080"));
}

TEST_F(Explain, JsonHasExactlyTheStableKeys) {
  const auto done = offline({"explain", "--to", "http://reviews:9080/", "-o", "json"});
  ASSERT_EQ(done.code, kOk) << done.err;
  std::vector<std::string> keys;
  const auto json = nlohmann::ordered_json::parse(done.out);
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"service", "port", "path", "reason", "rule", "action", "status",
                                            "destinations", "request", "response_headers", "timeout_ms", "retries",
                                            "mirrors", "fault", "redirect"}));
  EXPECT_EQ(done.json()["destinations"][0]["endpoints"],
            nlohmann::json::parse(R"([{"address": "10.1.0.1", "port": 9080}])"));
}

TEST_F(Explain, DrawsWithTheKernelsPick) {
  const auto done = offline({"explain", "--to", "http://reviews:9080/", "-n", "1000", "-o", "json"});
  ASSERT_EQ(done.code, kOk) << done.err;
  const auto destinations = done.json()["destinations"];
  EXPECT_NEAR(destinations[0]["drawn"].get<int>(), 900, 2);
  EXPECT_EQ(destinations[0]["drawn"].get<int>() + destinations[1]["drawn"].get<int>(), 1000);
}

TEST_F(Explain, HostHeaderStandsForTheUrls) {
  const auto done = offline({"explain", "--to", "http://10.96.0.3:9080/", "-H", "Host: reviews", "-o", "json"});
  ASSERT_EQ(done.code, kOk) << done.err;
  EXPECT_EQ(done.json()["service"], "reviews.default.svc.cluster.local");
}

TEST_F(Explain, FromAPodOfTheConfiguration) {
  EXPECT_EQ(offline({"explain", "--to", "http://reviews:9080/", "--from", "default/reviews-1"}).code, kOk);
  const auto done = offline({"explain", "--to", "http://reviews:9080/", "--from", "default/nobody"});
  EXPECT_EQ(done.code, kUsage);
  EXPECT_THAT(done.err, HasSubstr("no pod default/nobody"));
}

TEST_F(Explain, ShortNamesAreOfTheClientsNamespace) {
  const auto json =
      offline({"explain", "--to", "http://reviews:9080/", "--from-namespace", "other", "-o", "json"}).json();
  EXPECT_EQ(json["service"], "");
}

TEST_F(Explain, MeshSettingsFromAFile) {
  const auto mesh = outside("mesh.txt", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n");
  EXPECT_EQ(offline({"explain", "--to", "http://reviews:9080/", "--mesh", mesh}).code, kOk);
  EXPECT_EQ(offline({"explain", "--to", "http://reviews:9080/", "--mesh", "/nonexistent"}).code, kUnreadable);
}

TEST_F(Explain, RequestsOneLineEach) {
  const auto file = outside("requests.json",
                            R"([{"from": {"namespace": "default", "labels": {}}, "host": "reviews:9080", "port": 9080},
                                {"from": {"namespace": "default", "labels": {}}, "host": "nobody", "port": 80}])");
  const auto done = offline({"explain", "--requests", file});
  ASSERT_EQ(done.code, kOk) << done.err;
  std::istringstream lines(done.out);
  std::string first, second, third;
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_FALSE(std::getline(lines, third));
  EXPECT_EQ(nlohmann::json::parse(first)["service"], "reviews.default.svc.cluster.local");
  EXPECT_EQ(nlohmann::json::parse(second)["service"], "");
}

TEST_F(Explain, BadRequestsFiles) {
  EXPECT_EQ(offline({"explain", "--requests", "/nonexistent"}).code, kUnreadable);
  EXPECT_EQ(offline({"explain", "--requests", outside("a.json", "{}")}).code, kUnreadable);
  EXPECT_EQ(offline({"explain", "--requests", outside("b.json", "[1,")}).code, kUnreadable);
  const auto done = offline({"explain", "--requests", outside("c.json", R"([{"host": "x", "port": 70000}])")});
  EXPECT_EQ(done.code, kUnreadable);
  EXPECT_THAT(done.err, HasSubstr("request 0: port"));
}

TEST_F(Explain, UsageErrors) {
  const std::vector<std::vector<std::string>> cases = {
      {"explain"},
      {"explain", "--to", "ftp://x/"},
      {"explain", "--to", "http://:80/"},
      {"explain", "--to", "http://reviews:0/"},
      {"explain", "--to", "tcp://reviews"},
      {"explain", "--to", "http://reviews/", "--requests", "x"},
      {"explain", "--to", "http://reviews/", "-H", "no colon"},
      {"explain", "--to", "http://reviews/", "--source-labels", "nothing"},
      {"explain", "--to", "http://reviews/", "--from", "nopod"},
      {"explain", "--to", "http://reviews/", "--from", "a/b", "--gateway", "istio=x"},
      {"explain", "--to", "http://reviews/", "-n", "many"},
  };
  for (const auto& words : cases) EXPECT_EQ(offline(words).code, kUsage) << ::testing::PrintToString(words);
}

TEST_F(Explain, MissingFolderIsUnreadable) {
  EXPECT_EQ(weir({"explain", "--config", "/nonexistent", "--to", "http://x/"}).code, kUnreadable);
}

TEST_F(Explain, WithoutAgentAndFolderNobodyAnswers) {
  const auto done = weir({"explain", "--to", "http://reviews/", "--run-dir", dir_.file("run")});
  EXPECT_EQ(done.code, kUnreachable);
  EXPECT_THAT(done.err, HasSubstr("no agent runs at"));
}

TEST_F(Explain, BrokenFileIsSaidBesideTheAnswer) {
  write("bad.yaml", "kind: [\n");
  const auto done = offline({"explain", "--to", "http://reviews:9080/"});
  EXPECT_EQ(done.code, kOk);
  EXPECT_THAT(done.err, HasSubstr("an agent would refuse this folder"));
}

}  // namespace
}  // namespace weir::cli
