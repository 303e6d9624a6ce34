#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Codes of the findings about a VirtualService with these http rules; each rule is its match list, "" for none.
std::vector<std::string> http(const std::vector<std::string>& rules) {
  std::string spec = "hosts: [h.com]\nhttp:";
  for (const std::string& match : rules)
    spec += "\n- {" + (match.empty() ? "" : "match: " + match + ", ") + "directResponse: {status: 200}}";
  const ParsedFile file = read_yaml(test::istio("VirtualService", spec), "f");
  EXPECT_FALSE(has_errors(file.diagnostics)) << to_text(file.diagnostics.front());
  std::vector<std::string> all;
  for (const Diagnostic& diagnostic : analyze(file.objects, {}))
    all.push_back(diagnostic.code + " " + std::to_string(diagnostic.at.line - 7));
  return all;
}

TEST(CheckUnreachable, FineOnesSayNothing) {
  const std::vector<std::vector<std::string>> table = {
      {"[{uri: {prefix: /a}}]", "[{uri: {prefix: /b}}]", ""},
      {"[{uri: {prefix: /ab}}]", "[{uri: {prefix: /a}}]"},
      {"[{uri: {exact: /a}}]", "[{uri: {prefix: /a}}]"},
      {"[{headers: {x: {exact: a}}}]", "[{headers: {x: {exact: b}}}]"},
      {"[{headers: {x: {exact: a}, y: {}}}]", "[{headers: {x: {exact: a}}}]"},
      {"[{headers: {x: {regex: a.*}}}]", "[{headers: {x: {exact: ab}}}]"},  // regexes are not compared
      {"[{uri: {prefix: /a}, method: {exact: GET}}]", "[{uri: {prefix: /a}, method: {exact: POST}}]"},
      {"[{port: 80}]", "[{port: 81}]", ""},
      {"[{sourceLabels: {a: b}}]", "[{sourceLabels: {a: c}}]", ""},
      {"[{sourceNamespace: x}]", ""},
      {"[{gateways: [mesh]}]", "[{gateways: [gw]}]"},
      {"[{withoutHeaders: {x: {}}}]", ""},
      {"[{queryParams: {x: {exact: ''}}}]", ""},
      {"[{uri: {prefix: /A}}]", "[{uri: {prefix: /a}}]"},
      {"[{uri: {prefix: /a}}]", "[{uri: {prefix: /a}, ignoreUriCase: true}]"},
      {"[{uri: {prefix: /}}, {uri: {exact: /}}]"},  // one rule, one place
  };
  for (const auto& rules : table) EXPECT_THAT(http(rules), IsEmpty()) << testing::PrintToString(rules);
}

TEST(CheckUnreachable, Rules) {
  EXPECT_THAT(http({"", ""}), ElementsAre("IST0130 2"));
  EXPECT_THAT(http({"", "[{uri: {prefix: /a}}]"}), ElementsAre("IST0130 2"));
  EXPECT_THAT(http({"[{uri: {prefix: /}}]", ""}), ElementsAre("IST0130 2"));
  EXPECT_THAT(http({"[{uri: {regex: .*}}]", ""}), ElementsAre("IST0130 2"));
  EXPECT_THAT(http({"[{}]", ""}), ElementsAre("IST0130 2"));
  EXPECT_THAT(http({"[{uri: {prefix: /}}]", "[{uri: {prefix: /a}}]"}), ElementsAre("IST0130 2", "IST0131 2"));
  EXPECT_THAT(http({"[{uri: {prefix: /a}}]", "[{name: other, uri: {prefix: /a}}]"}),
              ElementsAre("IST0130 2", "IST0131 2"));
}

TEST(CheckUnreachable, Matches) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"{uri: {prefix: /a}}", "{uri: {prefix: /ab}}"},
      {"{uri: {prefix: /a}}", "{uri: {exact: /ab}}"},
      {"{uri: {prefix: /a}}", "{uri: {prefix: /ab}, method: {exact: GET}}"},
      {"{headers: {x: {}}}", "{headers: {x: {exact: a}}}"},
      {"{headers: {x: {regex: .*}}}", "{headers: {x: {prefix: a}}}"},
      {"{headers: {x: {prefix: a}}}", "{headers: {x: {exact: ab}, y: {}}}"},
      {"{uri: {prefix: /A}, ignoreUriCase: true}", "{uri: {prefix: /a}}"},
      {"{sourceLabels: {a: b}}", "{sourceLabels: {a: b, c: d}}"},
      {"{gateways: [mesh, gw]}", "{gateways: [gw], port: 80}"},
      {"{queryParams: {q: {exact: a}}}", "{queryParams: {q: {exact: a}, r: {}}}"}};
  for (const auto& [earlier, later] : table) {
    EXPECT_THAT(http({"[" + earlier + "]", "[" + later + ", {uri: {exact: /other}, headers: {z: {}}}]"}),
                ElementsAre("IST0131 2"))
        << earlier << " " << later;
  }
}

TEST(CheckUnreachable, WhatADelegateLeavesGoesToLaterRules) {
  const ParsedFile file =
      read_yaml(test::istio("VirtualService",
                            "hosts: [h.com]\nhttp:\n- {match: [{uri: {prefix: /}}], delegate: {name: d}}\n- {match: "
                            "[{uri: {prefix: /a}}], directResponse: {status: 200}}"),
                "f");
  EXPECT_TRUE(analyze(file.objects, {}).empty());
}

TEST(CheckUnreachable, TcpAndTls) {
  const auto l4 = [](const std::string& kind, const std::string& first, const std::string& second) {
    const std::string route = "route: [{destination: {host: h.com}}]}";
    const ParsedFile file = read_yaml(test::istio("VirtualService", "hosts: [h.com, '*.w.com']\n" + kind + ":\n- {" +
                                                                        first + route + "\n- {" + second + route),
                                      "f");
    std::vector<std::string> all;
    for (const Diagnostic& diagnostic : analyze(file.objects, {})) {
      if (diagnostic.code != "IST0101") all.push_back(diagnostic.code);
    }
    return all;
  };
  EXPECT_THAT(l4("tcp", "", ""), ElementsAre("IST0130"));
  EXPECT_THAT(l4("tcp", "match: [{port: 1}], ", "match: [{port: 1}], "), ElementsAre("IST0130", "IST0131"));
  EXPECT_THAT(l4("tcp", "match: [{port: 1}], ", "match: [{port: 1}, {port: 2}], "), ElementsAre("IST0131"));
  EXPECT_THAT(
      l4("tcp", "match: [{destinationSubnets: [10.0.0.0/8]}], ", "match: [{destinationSubnets: [10.1.0.0/16]}], "),
      ElementsAre("IST0131"));
  EXPECT_THAT(l4("tcp", "match: [{sourceSubnet: 10.0.0.0/8}], ", "match: [{sourceSubnet: 10.0.0.7}], "),
              ElementsAre("IST0131"));
  EXPECT_THAT(l4("tcp", "match: [{sourceSubnet: 10.0.0.7}], ", "match: [{sourceSubnet: 10.0.0.0/8}], "), IsEmpty());
  EXPECT_THAT(l4("tcp", "match: [{destinationSubnets: [10.1.0.0/16]}], ", ""), IsEmpty());
  EXPECT_THAT(l4("tls", "match: [{sniHosts: ['*.w.com']}], ", "match: [{sniHosts: [a.w.com]}], "),
              ElementsAre("IST0131"));
  EXPECT_THAT(l4("tls", "match: [{sniHosts: [h.com]}], ", "match: [{sniHosts: [h.com]}], "),
              ElementsAre("IST0130", "IST0131"));
  EXPECT_THAT(l4("tls", "match: [{sniHosts: [h.com]}], ", "match: [{sniHosts: [a.w.com]}], "), IsEmpty());
}

}  // namespace
}  // namespace weir::config
