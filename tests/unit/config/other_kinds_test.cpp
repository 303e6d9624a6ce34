#include "config/other_kinds.h"

#include <gtest/gtest.h>

#include "config/schema.h"
#include "support.h"

namespace weir::config {
namespace {

std::vector<std::string> findings(const std::string& type, const std::string& spec) {
  const size_t space = type.find(' ');
  return test::read_findings("apiVersion: " + type.substr(0, space) + "\nkind: " + type.substr(space + 1) +
                             "\nmetadata: {name: a}\nspec: " + spec + "\n");
}

/// Each of Istio's kinds is either read or one of these.
TEST(OtherKinds, AreAllThatNobodyReads) {
  for (const schema::Kind& kind : schema::kinds()) {
    const bool read = kind.name == "VirtualService" || kind.name == "DestinationRule" || kind.name == "Gateway" ||
                      kind.name == "ServiceEntry" || kind.name == "WorkloadEntry";
    EXPECT_EQ(find_other_kind(kind.name) == nullptr, read) << kind.name;
  }
}

TEST(OtherKinds, WhatNobodyEnforcesIsAWarning) {
  for (const auto& [type, spec] : std::initializer_list<std::pair<const char*, const char*>>{
           {"security.istio.io/v1 AuthorizationPolicy", "{}"},
           {"security.istio.io/v1 PeerAuthentication", "{mtls: {mode: STRICT}}"},
           {"security.istio.io/v1 RequestAuthentication", "{}"},
           {"networking.istio.io/v1alpha3 EnvoyFilter", "{}"},
           {"extensions.istio.io/v1alpha1 WasmPlugin", "{url: oci://a.test/b}"}}) {
    const auto found = findings(type, spec);
    ASSERT_EQ(found.size(), 1U) << type;
    EXPECT_TRUE(found[0].starts_with("2:7 Warning WEIR0007 ")) << found[0];
  }
}

TEST(OtherKinds, OthersAreSkippedWithALine) {
  for (const auto& [type, spec] : std::initializer_list<std::pair<const char*, const char*>>{
           {"networking.istio.io/v1 Sidecar", "{egress: [{hosts: ['*/*']}]}"},
           {"telemetry.istio.io/v1 Telemetry", "{}"},
           {"networking.istio.io/v1beta1 ProxyConfig", "{}"},
           {"networking.istio.io/v1 WorkloadGroup", "{template: {}}"}}) {
    EXPECT_TRUE(findings(type, spec).empty()) << type << " " << findings(type, spec).front();
  }
}

TEST(OtherKinds, WhatIstioRefusesIsRefused) {
  for (const auto& [type, spec, finding] : std::initializer_list<std::tuple<const char*, const char*, const char*>>{
           {"networking.istio.io/v1 WorkloadGroup", "{}", "4:7 Error IST0106 spec.template is required"},
           {"networking.istio.io/v1 WorkloadGroup", "{template: {}, probe: {periodSeconds: 5}}", "4:29 Error IST0106"},
           {"networking.istio.io/v1 WorkloadGroup", "{template: {}, probe: {exec: {command: []}}}",
            "4:36 Error IST0106"},
           {"networking.istio.io/v1alpha3 EnvoyFilter", "{configPatches: [{}]}", "4:24 Error IST0106"},
           {"networking.istio.io/v1alpha3 EnvoyFilter",
            "{configPatches: [{applyTo: CLUSTER, patch: {operation: MERGE}}]}", "4:50 Error IST0106"},
           {"telemetry.istio.io/v1 Telemetry", "{tracing: [{randomSamplingPercentage: 101}]}", "4:45 Error IST0106"},
           {"telemetry.istio.io/v1 Telemetry", "{selector: {}, targetRefs: [{kind: Service, name: a}]}", "4:22 Error"},
           {"extensions.istio.io/v1alpha1 WasmPlugin", "{url: oci://a, targetRefs: [{kind: Pod, name: a}]}",
            "4:42 Error IST0106"},
           {"extensions.istio.io/v1alpha1 WasmPlugin", "{}", "4:7 Error IST0106 spec.url is required"}}) {
    const auto found = findings(type, spec);
    ASSERT_FALSE(found.empty()) << spec;
    const bool there =
        std::any_of(found.begin(), found.end(), [&](const auto& line) { return line.starts_with(finding); });
    EXPECT_TRUE(there) << spec << "\n-> " << found.front() << "\n" << found.back();
  }
}

}  // namespace
}  // namespace weir::config
