#include "routing/decide/explain_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "explain_support.h"

namespace weir::routing {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::vector<std::string> keys_of(const nlohmann::ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

TEST(ExplainJsonTest, AnEmptyDecisionHasEveryKey) {
  EXPECT_EQ(
      to_json(Decision{}).dump(),
      R"({"service":"","port":0,"path":"none","reason":"","rule":null,"action":"default","status":null,"destinations":[],)"
      R"("request":null,"response_headers":null,"timeout_ms":null,"retries":null,"mirrors":[],"fault":null,"redirect":null})");
}

TEST(ExplainJsonTest, AFullDecisionHasTheStableShape) {
  const Decision decision = ask(web_yaml() + rules_yaml(R"(  - name: all
    timeout: 2s
    fault: {delay: {fixedDelay: 1s, percentage: {value: 50}}}
    mirrors: [{destination: {host: web, subset: v2}}]
    headers: {request: {set: {x-a: '1'}}, response: {remove: [x-b]}}
    route: [{destination: {host: web, subset: v1}}]
)"),
                                get("web", "/p"));
  const auto object = to_json(decision);
  EXPECT_THAT(keys_of(object), testing::ElementsAre("service", "port", "path", "reason", "rule", "action", "status",
                                                    "destinations", "request", "response_headers", "timeout_ms",
                                                    "retries", "mirrors", "fault", "redirect"));
  EXPECT_THAT(keys_of(object["rule"]),
              testing::ElementsAre("kind", "namespace", "name", "route", "index", "file", "line", "column"));
  EXPECT_EQ(
      object["destinations"].dump(),
      R"([{"host":"web.default.svc.cluster.local","port":80,"subset":"v1","weight":1,"share":1.0,"endpoints":[{"address":"10.1.10.1","port":8080}]}])");
  EXPECT_EQ(object["request"].dump(),
            R"({"path":"/p","host":"web","headers":{"set":{"x-a":"1"},"add":{},"remove":[]}})");
  EXPECT_EQ(object["response_headers"].dump(), R"({"set":{},"add":{},"remove":["x-b"]})");
  EXPECT_EQ(object["timeout_ms"], 2000);
  EXPECT_EQ(object["retries"]["attempts"], 2);
  EXPECT_EQ(object["mirrors"].dump(),
            R"([{"host":"web.default.svc.cluster.local","port":80,"subset":"v2","share":1.0}])");
  EXPECT_EQ(object["fault"].dump(), R"({"delay_ms":1000,"delay_share":0.5,"abort_status":0,"abort_share":0.0})");
}

// ---------------------------------------------------------------- questions

Result<Question> parse(const char* text, const Table* table = nullptr) {
  return parse_question(json::parse(text), table);
}

TEST(ParseQuestionTest, ReadsAMeshRequest) {
  const auto question = parse(
      R"({"name": "n", "from": {"namespace": "default", "labels": {"app": "c"}, "ip": "10.0.0.1"}, "host": "web:80",
    "dial": "web.other", "port": 8000, "method": "POST", "path": "/a?b", "headers": [["a", "1"], ["A", "2"]], "body": "x", "repeat": 3})");
  ASSERT_TRUE(question.has_value()) << question.error().message;
  EXPECT_EQ(question->name, "n");
  EXPECT_EQ(question->client.namespace_, "default");
  EXPECT_EQ(question->client.labels.at("app"), "c");
  EXPECT_EQ(question->client.address->to_string(), "10.0.0.1");
  EXPECT_FALSE(question->client.is_gateway);
  EXPECT_EQ(question->request.host, "web:80");
  EXPECT_EQ(question->request.dial, "web.other");
  EXPECT_EQ(question->request.port, 8000);
  EXPECT_EQ(question->request.method, "POST");
  EXPECT_EQ(question->request.headers.size(), 2U);
  EXPECT_TRUE(question->request.is_http);
  EXPECT_EQ(question->request.sni, std::nullopt);
}

TEST(ParseQuestionTest, ReadsGatewaysProtocolsAndDefaults) {
  const auto gateway = parse(
      R"({"gateway": {"namespace": "istio-system", "labels": {"istio": "ingressgateway"}}, "host": "a", "port": 8443, "protocol": "https"})");
  ASSERT_TRUE(gateway.has_value());
  EXPECT_TRUE(gateway->client.is_gateway);
  EXPECT_EQ(gateway->request.scheme, "https");
  EXPECT_EQ(gateway->request.sni, "a");
  EXPECT_EQ(parse(R"({"host": "a", "protocol": "https", "sni": "b"})")->request.sni, "b");
  EXPECT_EQ(parse(R"({"host": "a", "protocol": "https", "sni": null})")->request.sni, std::nullopt);
  EXPECT_EQ(parse(R"({"host": "a", "protocol": "https"})")->request.port, 443);
  EXPECT_FALSE(parse(R"({"dial": "a", "port": 1, "protocol": "tcp"})")->request.is_http);
  const auto bare = parse(R"({"host": null})");
  EXPECT_EQ(bare->request.host, std::nullopt);
  EXPECT_EQ(bare->request.port, 80);
  EXPECT_EQ(bare->request.method, "GET");
  EXPECT_EQ(bare->request.path, "/");
}

TEST(ParseQuestionTest, FindsTheAddressOfTheOnePodAlike) {
  const auto table = table_of(web_yaml());
  const auto address = [&](const char* text) { return parse(text, table.get())->client.address; };
  EXPECT_EQ(address(R"({"from": {"namespace": "default", "labels": {"app": "web", "version": "v2"}}})"),
            IpAddress::parse("10.1.10.2"));
  EXPECT_EQ(address(R"({"from": {"namespace": "default", "labels": {"app": "web"}}})"), std::nullopt);
  EXPECT_EQ(address(R"({"from": {"namespace": "third", "labels": {"app": "web", "version": "v2"}}})"), std::nullopt);
}

struct BadCase {
  const char *text, *message;
};

TEST(ParseQuestionTest, SaysWhatIsWrong) {
  const BadCase cases[] = {
      {"[]", "must be an object"},
      {R"({"port": 70000})", "port: 70000 is not a port (1-65535)"},
      {R"({"port": 0})", "port: 0 is not a port"},
      {R"({"port": "80"})", "port: \"80\" is not a port"},
      {R"({"port": 80.5})", "port: 80.5 is not a port"},
      {R"({"host": 1})", "host: must be a string or null"},
      {R"({"name": 1})", "name: must be a string"},
      {R"({"path": []})", "path: must be a string"},
      {R"({"protocol": "udp"})", "protocol: \"udp\" is not one of http, https, tcp"},
      {R"({"headers": {"a": "1"}})", "headers: must be a list"},
      {R"({"headers": [["a"]]})", "headers: [\"a\"] is not a [name, value] pair"},
      {R"({"headers": [["a", 1]]})", "is not a [name, value] pair"},
      {R"({"from": "default"})", "from: must be an object"},
      {R"({"from": {"labels": []}})", "labels: must be an object"},
      {R"({"from": {"labels": {"a": 1}}})", "labels.a: must be a string"},
      {R"({"from": {"ip": "10.0.0"}})", "ip: \"10.0.0\" is not an IP address"},
      {R"({"from": {}, "gateway": {}})", "exclude each other"},
      {R"({"sni": 1})", "sni: must be a string or null"},
  };
  for (const BadCase& test : cases) {
    const auto question = parse(test.text);
    ASSERT_FALSE(question.has_value()) << test.text;
    EXPECT_THAT(question.error().message, HasSubstr(test.message));
  }
}

}  // namespace
}  // namespace weir::routing
