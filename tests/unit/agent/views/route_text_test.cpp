#include "agent/views/route_text.h"

#include <gtest/gtest.h>

#include "config/store.h"
#include "routing/build/table_builder.h"

namespace weir::agent {
namespace {

/// The rules of the VirtualService with these lists.
std::shared_ptr<const routing::RuleSet> rules(const std::string& lists) {
  config::Store store;
  (void)store.set(config::read_yaml(
      "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: x}\nspec:\n  hosts: [x]\n" + lists,
      "x.yaml"));
  const auto all = routing::build_table(store)->all_rules();
  EXPECT_EQ(all.size(), 1U) << lists;
  return all.empty() ? std::make_shared<const routing::RuleSet>() : all.front();
}

std::string http(const std::string& match) {
  return "  http:\n  - match: " + match + "\n    route: [{destination: {host: x}}]\n";
}

TEST(MatchText, Http) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"[{headers: {end-user: {exact: jason}}}]", "header end-user exact \"jason\""},
      {"[{uri: {prefix: /a}, method: {exact: GET}}]", "uri prefix \"/a\", method exact \"GET\""},
      {"[{uri: {regex: /b.*}}, {port: 80}]", "uri regex \"/b.*\" or port 80"},
      {"[{queryParams: {q: {exact: v}}}]", "query q exact \"v\""},
      {"[{withoutHeaders: {x: {}}}]", "not header x present"},
      {"[{sourceLabels: {app: a}, sourceNamespace: n}]", "from namespace n, from pods app=a"},
      {"[{authority: {exact: h}, scheme: {exact: http}}]", "scheme exact \"http\", authority exact \"h\""},
      {"[{gateways: [mesh]}]", "gateway mesh"},
  };
  for (const auto& [match, text] : cases) EXPECT_EQ(match_text(rules(http(match))->http.at(0)), text) << match;
}

TEST(MatchText, WithoutConditions) {
  EXPECT_EQ(match_text(rules("  http:\n  - route: [{destination: {host: x}}]\n")->http.at(0)), "any");
  EXPECT_EQ(match_text(rules("  tcp:\n  - route: [{destination: {host: x}}]\n")->tcp.at(0)), "any");
}

TEST(MatchText, Tcp) {
  const auto tcp =
      rules("  tcp:\n  - match: [{port: 90, sourceLabels: {a: b}}]\n    route: [{destination: {host: x}}]\n");
  EXPECT_EQ(match_text(tcp->tcp.at(0)), "port 90, from pods a=b");
}

TEST(ActionText, Table) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"    route: [{destination: {host: x}}]\n", "split"},
      {"    redirect: {uri: /a}\n", "redirect 301"},
      {"    directResponse: {status: 503}\n", "direct response 503"},
      {"    route: [{destination: {host: x}}]\n    timeout: 1s\n    mirror: {host: y}\n    fault: {abort: {httpStatus: "
       "500, "
       "percentage: {value: 1}}}\n",
       "split, timeout, fault, mirror"},
      {"    route: [{destination: {host: x}}]\n    rewrite: {uri: /a}\n    retries: {attempts: 1}\n    headers: "
       "{request: {set: {a: "
       "b}}}\n",
       "split, rewrite, retries, headers"},
  };
  for (const auto& [route, text] : cases)
    EXPECT_EQ(action_text(rules(std::string("  http:\n  - name: r\n") + route)->http.at(0)), text) << route;
}

TEST(ActionText, OfConnections) {
  EXPECT_EQ(action_text(routing::L4Rule{}), "none");
  EXPECT_EQ(action_text(rules("  tcp:\n  - route: [{destination: {host: x}}]\n")->tcp.at(0)), "split");
}

}  // namespace
}  // namespace weir::agent
