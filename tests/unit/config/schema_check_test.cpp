// What the CRDs ask for, seen through objects of a kind that has no reader and of one that has.

#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

std::string policy(std::string_view kind, std::string_view group, const std::string& spec) {
  return "apiVersion: " + std::string(group) + "/v1\nkind: " + std::string(kind) +
         "\nmetadata: {name: a}\nspec: " + spec + "\n";
}

/// The findings but for the last one: that nobody enforces it.
void expect_first(const std::string& text, const std::string& finding) {
  auto found = test::read_findings(text);
  std::erase_if(found, [](const std::string& line) { return line.find("WEIR0007") != std::string::npos; });
  if (finding.empty()) {
    EXPECT_TRUE(found.empty()) << text << "-> " << found.front();
    return;
  }
  ASSERT_EQ(found.size(), 1U) << text << (found.size() > 1 ? found[1] : "");
  EXPECT_TRUE(found.front().starts_with(finding)) << text << "-> " << found.front() << "\nexpected " << finding;
}

TEST(SchemaCheck, OfAKindWithoutReader) {
  for (const auto& [spec, finding] : std::initializer_list<std::pair<const char*, const char*>>{
           {"{mtls: {mode: STRICT}}", ""},
           {"{}", ""},
           {"", "4:1 Error IST0106 spec must be a map, it is null"},
           {"[]", "4:7 Error IST0106 spec must be a map, it is a list"},
           {"{mtls: {mode: strict}}", "4:21 Error IST0106 spec.mtls.mode has no choice \"strict\""},
           {"{mtls: {mode: 3}}", "4:21 Error IST0106"},
           {"{mtls: null}", "4:8 Error IST0106 spec.mtls must be a map, it is null"},
           {"{mtls: STRICT}", "4:14 Error IST0106 spec.mtls must be a map, it is \"STRICT\""},
           {"{mtsl: {}}", "4:8 Warning IST0133 unknown field \"spec.mtsl\" is ignored"},
           {"{portLevelMtls: {}}", "4:"},
           {"{portLevelMtls: {'80': {mode: STRICT}}}",
            "4:7 Error IST0106 spec has portLevelMtls, which needs a selector"},
           {"{selector: {matchLabels: {a: '*'}}}",
            "4:36 Error IST0106 spec.selector.matchLabels.a must not have a wildcard"},
           {"{selector: {matchLabels: {'*': a}}}",
            "4:32 Error IST0106 spec.selector.matchLabels must not have a wildcard"},
           {"{selector: {matchLabels: {a: b}}, portLevelMtls: {'0': {}}}",
            "4:56 Error IST0106 spec.portLevelMtls must have ports"},
       }) {
    expect_first(policy("PeerAuthentication", "security.istio.io", spec), finding);
  }
}

TEST(SchemaCheck, HintNamesTheNearestWord) {
  const ParsedFile file =
      read_yaml(policy("PeerAuthentication", "security.istio.io", "{mtls: {mode: STRCT, mod: x}}"), "f");
  ASSERT_GE(file.diagnostics.size(), 2U);
  std::vector<std::string> hints;
  for (const Diagnostic& diagnostic : file.diagnostics) hints.push_back(diagnostic.hint);
  EXPECT_NE(std::find(hints.begin(), hints.end(), "did you mean mode?"), hints.end());
  EXPECT_NE(
      std::find(hints.begin(), hints.end(), "did you mean STRICT? Choices are UNSET, DISABLE, PERMISSIVE, STRICT"),
      hints.end());
}

/// What no reader asks: limits of length and number, and that a number is no text.
TEST(SchemaCheck, BesideAReader) {
  for (const auto& [kind, spec, finding] : std::initializer_list<std::tuple<const char*, const char*, const char*>>{
           {"DestinationRule", "{host: a, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 4294967296}}}",
            "4:"},
           {"DestinationRule",
            "{host: a, workloadSelector: {matchLabels: {a: "
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}}",
            "4:53 Error IST0106 spec.workloadSelector.matchLabels.a has 64 characters, it must have 63 or less"},
           {"DestinationRule", "{host: a, trafficPolicy: {proxyProtocol: {version: V3}, tls: {}}}", "4:"},
           {"Gateway",
            "{selector: {a: b}, servers: [{hosts: ['*'], port: {number: 443, name: a, protocol: TLS}, tls: "
            "{minProtocolVersion: TLSV1_4}}]}",
            "4:"},
           {"ServiceEntry", "{hosts: []}", "4:"},
           {"VirtualService", "{hosts: [a], http: [{timeout: 5, route: [{destination: {host: a}}]}]}", "4:"},
           {"VirtualService", "{hosts: [a], http: [{match: [], route: null, redirect: {uri: /a}}]}", "4:"}}) {
    const auto found = test::read_findings(policy(kind, "networking.istio.io", spec));
    ASSERT_FALSE(found.empty()) << spec;
    const bool error = std::any_of(found.begin(), found.end(), [&](const std::string& line) {
      return line.starts_with(finding) && line.find(" Error IST0106 ") != std::string::npos;
    });
    EXPECT_TRUE(error) << spec << "\n-> " << found.front();
  }
}

}  // namespace
}  // namespace weir::config
