// What an operator sees with bpftool: every map dumps with field names. The names are a contract (docs and other
// people's scripts).

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "datapath/map_set.h"
#include "fixture.h"

namespace weir::datapath::test {
namespace {

std::string run(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> buffer{};
  while (const size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), size);
  pclose(pipe);
  return output;
}

std::vector<std::string> names_of(const nlohmann::json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

class BpftoolTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    if (IsSkipped()) return;
    if (run("command -v bpftool || ls /usr/sbin/bpftool 2>/dev/null").empty()) GTEST_SKIP() << "no bpftool";
    datapath.emplace(start(make_plan({make_service("default/reviews:9080", "127.9.0.1", 80,
                                                   {{90, {servers.start('a')}}, {10, {servers.start('b')}}})})));
    held = connect_to("127.9.0.1", 80);
    ASSERT_TRUE(datapath->set_sources(std::vector<SourceEntry>{{99, 3}}));
  }

  /// The formatted elements of a map; of an array, those that are not all zero.
  nlohmann::json dump(const std::string& name) const {
    const std::string text =
        run("PATH=$PATH:/usr/sbin bpftool -j map dump pinned " + sandbox.bpffs_dir() + "/maps/" + name);
    auto json = nlohmann::json::parse(text, nullptr, false);
    nlohmann::json elements = nlohmann::json::array();
    if (!json.is_array()) return elements;
    for (const auto& element : json)
      if (element.contains("formatted")) elements.push_back(element["formatted"]);
    return elements;
  }

  std::optional<Datapath> datapath;
  Connection held;
};

TEST_F(BpftoolTest, Frontends) {
  const auto elements = dump("frontends");
  ASSERT_EQ(elements.size(), 1U);
  EXPECT_EQ(names_of(elements[0]["key"]), (std::vector<std::string>{"address", "pad", "port", "protocol", "source"}));
  EXPECT_EQ(names_of(elements[0]["value"]), (std::vector<std::string>{"check", "flags", "proxy_port", "split"}));
  EXPECT_EQ(elements[0]["key"]["protocol"], 6);
  EXPECT_EQ(elements[0]["value"]["split"], 1);
}

TEST_F(BpftoolTest, Splits) {
  const auto elements = dump("splits");
  ASSERT_EQ(elements.size(), 1U);
  const auto& value = elements[0]["value"];
  EXPECT_EQ(names_of(value),
            (std::vector<std::string>{"destination_count", "destinations", "flags", "forks", "generation", "key",
                                      "mode", "name", "pad", "phase", "stamp", "start"}));
  EXPECT_EQ(value["destination_count"], 2);
  EXPECT_EQ(value["generation"], 1);
  EXPECT_NE(value["name"].dump().find('d'), std::string::npos);
  EXPECT_EQ(names_of(value["destinations"][0]),
            (std::vector<std::string>{"count", "first", "flags", "key", "label", "last"}));
  EXPECT_EQ(value["destinations"][0]["last"], 3865470565);
  EXPECT_EQ(value["destinations"][1]["last"], 4294967295);
  EXPECT_EQ(names_of(value["forks"][0]), (std::vector<std::string>{"common", "pad", "rare", "share"}));
  EXPECT_EQ(value["forks"][0]["share"], 429496729);
}

TEST_F(BpftoolTest, EndpointsCursorsCounters) {
  const auto endpoints = dump("endpoints");
  ASSERT_GT(endpoints.size(), 2U);
  EXPECT_EQ(names_of(endpoints[1]["value"]),
            (std::vector<std::string>{"address", "counter", "flags", "last", "port", "split"}));
  EXPECT_EQ(endpoints[1]["value"]["split"], 1);
  EXPECT_EQ(dump("cursors")[1]["value"], 1) << "one connection was made";
  const auto counters = dump("counters");
  EXPECT_EQ(names_of(counters[1]["value"]), (std::vector<std::string>{"address", "closed", "destination_key", "opened",
                                                                      "pad", "picked", "port", "since", "split_key"}));
}

TEST_F(BpftoolTest, Sockets) {
  const auto elements = dump("sockets");
  ASSERT_EQ(elements.size(), 1U);
  EXPECT_EQ(names_of(elements[0]["value"]),
            (std::vector<std::string>{"client_address", "client_port", "counter", "endpoint_address", "endpoint_port",
                                      "flags", "generation", "pad", "service_address", "service_port", "split"}));
}

TEST_F(BpftoolTest, Proxy) {
  auto plan = make_plan({make_service("a", "127.9.0.1", 80, {{1, {servers.start('a')}}})});
  auto service = std::make_shared<routing::ServicePlan>(*plan.services[0]);
  service->frontends[0].proxied = true;
  plan.services[0] = service;
  ASSERT_TRUE(datapath->apply(plan));
  const auto ports = dump("proxy_ports");
  ASSERT_EQ(ports.size(), 1U);
  EXPECT_EQ(ports[0]["key"], 61000);
  EXPECT_EQ(names_of(ports[0]["value"]), (std::vector<std::string>{"address", "flags", "pad", "port", "unused_since"}));
  const auto place = dump("proxy_place");
  ASSERT_EQ(place.size(), 1U);
  EXPECT_EQ(names_of(place[0]["value"]),
            (std::vector<std::string>{"cgroup", "flags", "netns", "v4", "v4_workers", "v6", "v6_workers"}));
  ASSERT_EQ(dump("proxy_beat").size(), 1U);
}

TEST_F(BpftoolTest, SourcesMetaVerdicts) {
  EXPECT_EQ(dump("sources")[0]["value"], 3);
  const auto meta = dump("meta");
  ASSERT_EQ(meta.size(), 1U);
  EXPECT_EQ(meta[0]["value"]["abi"], abi::ABI_VERSION);
  EXPECT_EQ(meta[0]["value"]["generation"], 1);
  const auto verdicts = dump("verdicts");
  ASSERT_EQ(verdicts.size(), 1U);
  std::vector<std::string> expected;
  const auto view = datapath->read();
  for (const auto& entry : view->verdicts) expected.push_back(entry.name);
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(names_of(verdicts[0]["values"][0]["value"]), expected);
}

TEST_F(BpftoolTest, NamesFitTheKernel) {
  for (const MapSpec& spec : map_specs()) EXPECT_LE(std::string(spec.name).size(), 15U);
  const std::string text =
      run("PATH=$PATH:/usr/sbin bpftool map show pinned " + sandbox.bpffs_dir() + "/maps/frontends");
  EXPECT_NE(text.find("name frontends"), std::string::npos) << text;
}

}  // namespace
}  // namespace weir::datapath::test
