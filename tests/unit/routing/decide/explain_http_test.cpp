// explain_http.cpp: first match, and what the rule does to the request.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explain_support.h"

namespace weir::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

const std::string kRoute = "    route: [{destination: {host: web, subset: v1}}]\n";

Decision ask_rules(const std::string& rules, const Request& request) {
  return ask(web_yaml() + rules_yaml(rules), request);
}

TEST(ExplainHttpTest, JasonGoesToV2AndTheStepsSayWhy) {
  const std::string rules =
      "  - name: jason\n    match: [{headers: {end-user: {exact: jason}}}]\n    route: [{destination: {host: web, "
      "subset: v2}}]\n"
      "  - name: everyone\n" +
      kRoute;
  const Decision jason = ask_rules(rules, get("web", "/", {{"End-User", "jason"}}));
  ASSERT_TRUE(jason.rule.has_value());
  EXPECT_EQ(jason.rule->route, "jason");
  EXPECT_EQ(jason.rule->index, 0);
  EXPECT_EQ(jason.rule->kind, "VirtualService");
  EXPECT_EQ(jason.rule->file, "test.yaml");
  EXPECT_GT(jason.rule->at.line, 0U);
  EXPECT_EQ(jason.path, Path::kProxy);
  EXPECT_EQ(jason.destinations.at(0).subset, "v2");

  const Decision tester = ask_rules(rules, get("web", "/", {{"end-user", "tester"}}));
  EXPECT_EQ(tester.rule->route, "everyone");
  EXPECT_THAT(steps_of(tester), HasSubstr("rule 0 \"jason\" (test.yaml:"));
  EXPECT_THAT(steps_of(tester), HasSubstr("no match: header end-user exact \"jason\" != \"tester\""));
  EXPECT_THAT(steps_of(tester), HasSubstr("rule 1 \"everyone\""));
}

TEST(ExplainHttpTest, EntriesAreAlternatives) {
  const std::string rules = "  - match: [{uri: {exact: /a}}, {uri: {prefix: /b}, method: {exact: POST}}]\n" + kRoute;
  EXPECT_EQ(ask_rules(rules, get("web", "/a")).action, Action::kSplit);
  const Decision none = ask_rules(rules, get("web", "/bx"));
  EXPECT_EQ(none.status, 404);
  EXPECT_THAT(steps_of(none), HasSubstr("uri exact \"/a\" != \"/bx\"; or method exact \"POST\" != \"GET\""));
}

TEST(ExplainHttpTest, MatchesTheNormalisedPath) {
  const std::string rules = "  - match: [{uri: {exact: /a/b}}]\n" + kRoute;
  const Decision decision = ask_rules(rules, get("web", "/a/x/..//b"));
  EXPECT_EQ(decision.status, 404);
  EXPECT_EQ(ask_rules(rules, get("web", "/a/x/../%62")).request->path, "/a/b");
}

TEST(ExplainHttpTest, EveryRequestHasAnIdAndAForwardedProto) {
  const std::string rules = "  - match: [{headers: {x-request-id: {}, x-forwarded-proto: {exact: http}}}]\n" + kRoute;
  EXPECT_EQ(ask_rules(rules, get("web")).action, Action::kSplit);
}

TEST(ExplainHttpTest, RewritesThenSaysWhatTheEndpointSees) {
  const std::string rules =
      "  - match: [{uri: {prefix: /pp}}]\n    rewrite: {uri: /new, authority: new.example.com}\n"
      "    headers: {request: {set: {x-a: '1'}, add: {x-b: '%REQ(X-In)%'}, remove: [x-gone]}, response: {set: {x-r: "
      "'%REQ(:PATH)%'}}}\n" +
      kRoute;
  const Decision decision = ask_rules(rules, get("web", "/pp/a?q", {{"x-in", "in"}}));
  ASSERT_TRUE(decision.request.has_value());
  EXPECT_EQ(decision.request->path, "/new/a?q");
  EXPECT_EQ(decision.request->host, "new.example.com");
  EXPECT_THAT(decision.request->set, ElementsAre(Pair("x-a", "1")));
  EXPECT_THAT(decision.request->add, ElementsAre(Pair("x-b", "in")));
  EXPECT_THAT(decision.request->remove, ElementsAre("x-gone"));
  ASSERT_TRUE(decision.response.has_value());
  EXPECT_THAT(decision.response->set, ElementsAre(Pair("x-r", "/new/a?q")));
}

TEST(ExplainHttpTest, DestinationsThatDifferHaveTheirOwnEffect) {
  const std::string rules = R"(  - route:
    - {destination: {host: web, subset: v1}, weight: 1, headers: {response: {set: {x-which: v1}}}}
    - {destination: {host: web, subset: v2}, weight: 1, headers: {response: {set: {x-which: v2}}}}
)";
  const Decision decision = ask_rules(rules, get("web"));
  ASSERT_THAT(decision.destinations, SizeIs(2));
  ASSERT_TRUE(decision.destinations[1].response.has_value());
  EXPECT_EQ(decision.destinations[1].response->set.at("x-which"), "v2");
  const std::string same = R"(  - route:
    - {destination: {host: web, subset: v1}, weight: 1}
    - {destination: {host: web, subset: v2}, weight: 1}
)";
  EXPECT_FALSE(ask_rules(same, get("web")).destinations.at(0).request.has_value());
}

TEST(ExplainHttpTest, Redirects) {
  const Decision decision = ask_rules(
      "  - match: [{uri: {prefix: /r}}]\n    redirect: {uri: /n, redirectCode: 307}\n    headers: {response: {set: "
      "{x-a: '1'}}}\n",
      get("web:80", "/r?x=1"));
  EXPECT_EQ(decision.action, Action::kRedirect);
  EXPECT_EQ(decision.status, 307);
  EXPECT_EQ(decision.redirect, "http://web:80/n?x=1");
  EXPECT_EQ(decision.request, std::nullopt);
  EXPECT_EQ(decision.retries, std::nullopt);
  EXPECT_EQ(decision.response->set.at("x-a"), "1");
}

TEST(ExplainHttpTest, DirectResponse) {
  const Decision decision = ask_rules("  - directResponse: {status: 418, body: {string: tea}}\n", get("web"));
  EXPECT_EQ(decision.action, Action::kDirectResponse);
  EXPECT_EQ(decision.status, 418);
  EXPECT_EQ(decision.redirect, std::nullopt);
}

struct FaultCase {
  const char* fault;
  Action action;
  std::optional<int> status;
};

TEST(ExplainHttpTest, OnlyAFaultForAllIsAnAbort) {
  const FaultCase cases[] = {
      {"{abort: {httpStatus: 555, percentage: {value: 100}}}", Action::kAbort, 555},
      {"{abort: {httpStatus: 555, percentage: {value: 99.9999}}}", Action::kSplit, std::nullopt},
      {"{abort: {httpStatus: 555, percentage: {value: 0}}}", Action::kSplit, std::nullopt},
      {"{abort: {httpStatus: 555}}", Action::kSplit, std::nullopt},
      {"{abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}}", Action::kAbort, 200},
      {"{delay: {fixedDelay: 5s, percentage: {value: 100}}}", Action::kSplit, std::nullopt},
  };
  for (const FaultCase& test : cases) {
    const Decision decision = ask_rules(std::string("  - fault: ") + test.fault + "\n" + kRoute, get("web"));
    EXPECT_EQ(decision.action, test.action) << test.fault;
    EXPECT_EQ(decision.status, test.status) << test.fault;
    ASSERT_TRUE(decision.fault.has_value());
    EXPECT_EQ(decision.request.has_value(), test.action == Action::kSplit);
  }
  const Decision delayed =
      ask_rules("  - fault: {delay: {fixedDelay: 0.25s, percentage: {value: 0.1}}}\n" + kRoute, get("web"));
  EXPECT_EQ(delayed.fault->delay_ms, 250);
  EXPECT_DOUBLE_EQ(delayed.fault->delay_share, 0.001);
}

TEST(ExplainHttpTest, PreflightsAreAnsweredBeforeFaults) {
  const std::string rules =
      "  - corsPolicy: {allowOrigins: [{exact: 'http://a'}], allowMethods: [GET]}\n"
      "    fault: {abort: {httpStatus: 555, percentage: {value: 100}}}\n" +
      kRoute;
  Request preflight = get("web", "/", {{"origin", "http://a"}, {"access-control-request-method", "GET"}});
  preflight.method = "OPTIONS";
  const Decision answered = ask_rules(rules, preflight);
  EXPECT_EQ(answered.action, Action::kDirectResponse);
  EXPECT_EQ(answered.status, 200);
  EXPECT_EQ(answered.response->set.at("access-control-allow-methods"), "GET");
  const Decision simple = ask_rules(rules, get("web", "/", {{"origin", "http://a"}}));
  EXPECT_EQ(simple.action, Action::kAbort);
  EXPECT_EQ(simple.response->set.at("access-control-allow-origin"), "http://a");
}

TEST(ExplainHttpTest, TimeoutRetriesAndMirrors) {
  const std::string rules =
      "  - timeout: 1.5s\n    retries: {attempts: 3, retryOn: 'gateway-error,404'}\n"
      "    mirrors: [{destination: {host: web.other.svc.cluster.local}, percentage: {value: 12.5}}, {destination: "
      "{host: web, subset: v2}, percentage: {value: 0}}]\n" +
      kRoute;
  const Decision decision = ask_rules(rules, get("web"));
  EXPECT_EQ(decision.timeout_ms, 1500);
  EXPECT_EQ(decision.retries->attempts, 3U);
  EXPECT_EQ(decision.retries->on, "gateway-error,404");
  ASSERT_THAT(decision.mirrors, SizeIs(1));
  EXPECT_EQ(decision.mirrors[0].host, "web.other.svc.cluster.local");
  EXPECT_DOUBLE_EQ(decision.mirrors[0].share, 0.125);
  EXPECT_EQ(ask_rules("  - retries: {attempts: 0}\n" + kRoute, get("web")).retries, std::nullopt);
}

TEST(ExplainHttpTest, RetriesOfAPostAreSaidToBeFewer) {
  const std::string yaml =
      web_yaml() + rules_yaml("  - route: [{destination: {host: web}}]\n    retries: {attempts: 3, retryOn: '500'}\n");
  Request request = get("web");
  EXPECT_EQ(steps_of(ask(yaml, request)).find("is not sent again"), std::string::npos);
  request.method = "POST";
  EXPECT_NE(steps_of(ask(yaml, request)).find("a POST that may have reached an endpoint is not sent again"),
            std::string::npos);
}

}  // namespace
}  // namespace weir::routing
