#include <gtest/gtest.h>

#include "config/schema.h"

namespace weir::config::schema {
namespace {

struct Case {
  const char *rule, *yaml;
  bool right;
};

TEST(SchemaRules, EachTakesWhatIsRightAndRefusesWhatIsWrong) {
  for (const Case& item : std::initializer_list<Case>{
           {"no-star", "a", true},
           {"no-star", "'a*'", false},
           {"empty", "''", true},
           {"empty", "default", false},
           {"duration", "1ms", true},
           {"duration", "1h30m", true},
           {"duration", "0s", false},
           {"duration", "999us", false},
           {"duration", "5", false},
           {"http-scheme", "HTTPS", true},
           {"http-scheme", "ftp", false},
           {"web-url", "https://a.test/keys", true},
           {"web-url", "ftp://a.test", false},
           {"web-url", "a.test", false},
           {"module-url", "oci://a.test/b", true},
           {"module-url", "a.test/b", true},
           {"module-url", "fake://a.test", false},
           {"module-url", "'#%blah$#@'", false},
           {"port", "65535", true},
           {"port", "0", false},
           {"port", "65536", false},
           {"port-keys", "{'80': a}", true},
           {"port-keys", "{http: a}", false},
           {"port-names", "{http-1: 1}", true},
           {"port-names", "{'@': 1}", false},
           {"no-empty-key", "{a: b}", true},
           {"no-empty-key", "{'': b}", false},
           {"no-star-in-keys", "{'a*': b}", false},
           {"value-only-inline", "{value: a}", true},
           {"value-only-inline", "{value: a, valueFrom: HOST}", false},
           {"upsert-needs-value", "{operation: UPSERT, value: a}", true},
           {"upsert-needs-value", "{operation: UPSERT}", false},
           {"remove-has-no-value", "{operation: REMOVE}", true},
           {"remove-has-no-value", "{operation: REMOVE, value: a}", false},
           {"waypoint-context", "{context: WAYPOINT, waypoint: {}}", true},
           {"waypoint-context", "{context: ANY, waypoint: {}}", false},
           {"waypoint-context", "{context: WAYPOINT}", false},
           {"service-accounts-alone", "{serviceAccounts: [a]}", true},
           {"service-accounts-alone", "{serviceAccounts: [a], namespaces: [b]}", false},
           {"ports-need-selector", "{portLevelMtls: {}, selector: {matchLabels: {a: b}}}", true},
           {"ports-need-selector", "{portLevelMtls: {}, selector: {}}", false},
           {"wasm-or-lua", "{lua: {}}", true},
           {"wasm-or-lua", "{lua: {}, wasm: {}}", false},
           {"wasm-or-lua", "{}", false},
           {"group-name", "''", true},
           {"group-name", "a.b-c", true},
           {"group-name", "A", false},
           {"group-name", "a..b", false},
           {"kind-name", "Service", true},
           {"kind-name", "1a", false},
           {"sha256", "''", true},
           {"sha256", "abc", false},
           {"plain-header-name", "x-y_Z", true},
           {"plain-header-name", "'x y'", false}}) {
    const Rule rule = find_rule(item.rule);
    ASSERT_NE(rule, nullptr) << item.rule;
    bool asked = false;
    yaml::parse(
        item.yaml,
        [&](const Node& node, std::string_view) {
          asked = true;
          EXPECT_EQ(!rule(node), item.right) << item.rule << " " << item.yaml;
        },
        [&](const yaml::Problem& problem) { ADD_FAILURE() << problem.message; });
    EXPECT_TRUE(asked) << item.yaml;
  }
  EXPECT_EQ(find_rule("no-such-rule"), nullptr);
}

}  // namespace
}  // namespace weir::config::schema
