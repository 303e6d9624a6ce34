#include "proxy_process/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::proxy_process {
namespace {

using ::testing::HasSubstr;

Configuration sample() {
  Configuration configuration;
  configuration.generation = 41;
  configuration.full = false;
  configuration.all_services = true;
  configuration.allow_loopback_endpoints = false;
  configuration.http_by_request = true;
  configuration.files = {
      {"a.yaml", std::string("\0\xff{", 3)}, {"gone.yaml", std::nullopt}, {"b.yaml", "x"}, {"c.yaml", ""}};
  configuration.ports = {{61'000, {*IpAddress::parse("10.96.0.1"), 9080}},
                         {61'001, {*IpAddress::parse("fd00::1"), 80}}};
  return configuration;
}

/// The JSON, and the zero byte with what follows it.
std::pair<Json, std::string> parts(const std::string& blob) {
  const size_t end = blob.find('\0');
  return {Json::parse(blob.substr(0, end)), blob.substr(end)};
}

TEST(Protocol, NamesAndTheNodeOfAConfiguration) {
  Configuration configuration;
  configuration.node = "n1";
  configuration.resolved_names = {{"a.test", {*IpAddress::parse("10.0.0.1"), *IpAddress::parse("fd00::1")}},
                                  {"b.test", {}}};
  const auto read = configuration_from_blob(to_blob(configuration));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->node, "n1");
  EXPECT_EQ(read->resolved_names, configuration.resolved_names);
}

TEST(Protocol, NamesThatAreNone) {
  const auto [good, rest] = parts(to_blob({}));
  for (const char* names : {R"([])", R"({"a": "10.0.0.1"})", R"({"a": ["x"]})", R"({"a": [1]})", R"({"": []})"}) {
    Json json = good;
    json["resolved_names"] = Json::parse(names);
    EXPECT_FALSE(configuration_from_blob(json.dump() + rest)) << names;
  }
  Json older = good;
  older.erase("resolved_names");
  older.erase("node");
  EXPECT_TRUE(configuration_from_blob(older.dump() + rest)) << "an older agent knows neither";
}

TEST(Protocol, AConfigurationComesBackAsItWasWritten) {
  const auto read = configuration_from_blob(to_blob(sample()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->generation, 41U);
  EXPECT_FALSE(read->full);
  EXPECT_TRUE(read->all_services);
  EXPECT_FALSE(read->allow_loopback_endpoints);
  EXPECT_TRUE(read->http_by_request);
  EXPECT_EQ(read->files, sample().files);
  EXPECT_EQ(read->ports, sample().ports);
  Configuration outside = sample();
  outside.ports[0].outside = true;
  EXPECT_EQ(configuration_from_blob(to_blob(outside))->ports, outside.ports);
}

TEST(Protocol, AnOlderAgentsConfigurationIsTaken) {
  auto [json, objects] = parts(to_blob(sample()));
  json.erase("http_by_request");
  json["something_newer"] = 7;
  EXPECT_TRUE(configuration_from_blob(json.dump() + objects));
}

TEST(Protocol, EachFaultOfAConfigurationIsNamed) {
  const auto fault = [](const auto& change) {
    auto [json, objects] = parts(to_blob(sample()));
    change(json);
    const auto read = configuration_from_blob(json.dump() + objects);
    return read ? "" : read.error().message;
  };
  EXPECT_THAT(fault([](Json& j) { j.erase("generation"); }), HasSubstr("\"generation\" is missing"));
  EXPECT_THAT(fault([](Json& j) { j["files"] = 7; }), HasSubstr("\"files\" is not a list"));
  EXPECT_THAT(fault([](Json& j) { j["files"][0].erase("name"); }), HasSubstr("\"name\" is missing"));
  EXPECT_THAT(fault([](Json& j) { j["files"][0]["name"] = ""; }), HasSubstr("is empty"));
  EXPECT_THAT(fault([](Json& j) { j["files"][0] = 7; }), HasSubstr("not an object"));
  EXPECT_THAT(fault([](Json& j) { j["ports"][0]["port"] = 0; }), HasSubstr("is 0"));
  EXPECT_THAT(fault([](Json& j) { j["ports"][0]["port"] = 65'536; }), HasSubstr("more than 65535"));
  EXPECT_THAT(fault([](Json& j) { j["ports"][0]["address"] = "x"; }), HasSubstr("not an address"));
  EXPECT_THAT(fault([](Json& j) { j["files"][0]["bytes"] = 5; }), HasSubstr("\"bytes\" is more than there is"));
  EXPECT_THAT(fault([](Json& j) { j["files"][0]["bytes"] = 2; }), HasSubstr("less bytes than there are"));
  EXPECT_THAT(fault([](Json& j) { j["files"][0]["bytes"] = -1; }), HasSubstr("\"bytes\""));
  EXPECT_FALSE(configuration_from_blob(""));
  EXPECT_FALSE(configuration_from_blob(parts(to_blob(sample())).first.dump()));
  EXPECT_FALSE(configuration_from_blob(std::string(100'000, '[')));
}

TEST(Protocol, AHelloComesBackAsItWasWritten) {
  Hello hello;
  hello.version = "0.1.0";
  hello.build = "abc";
  hello.generation = 7;
  hello.workers = 2;
  hello.draining = true;
  hello.loop = "epoll";
  hello.settings = "123";
  const auto read = hello_from_json(to_json(hello));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_json(*read), to_json(hello));
}

TEST(Protocol, AHelloThatLiesIsRefused) {
  Json good = to_json(Hello{});
  for (const auto& [key, value] : std::vector<std::pair<const char*, Json>>{{"workers", 1'000'000},
                                                                            {"workers", "2"},
                                                                            {"version", std::string(1000, 'x')},
                                                                            {"generation", -1},
                                                                            {"draining", 1}}) {
    Json bad = good;
    bad[key] = value;
    EXPECT_FALSE(hello_from_json(bad)) << bad.dump();
  }
  good.erase("build");
  EXPECT_FALSE(hello_from_json(good));
}

TEST(Protocol, ADigestTellsSettingsApart) {
  Settings a, b;
  a.node = b.node = "n";
  EXPECT_EQ(digest(a), digest(b));
  b.proxy.timeouts.head += std::chrono::milliseconds(1);
  EXPECT_NE(digest(a), digest(b));
}

}  // namespace
}  // namespace weir::proxy_process
