#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

MeshConfig mesh(std::string_view text) {
  return read_yaml(text, "mesh.yaml").mesh.value_or(MeshConfig{});
}

TEST(ReadMesh, KnowsItByItsFields) {
  EXPECT_EQ(mesh("outboundTrafficPolicy: {mode: REGISTRY_ONLY}").outbound_traffic_policy,
            MeshConfig::OutboundPolicy::kRegistryOnly);
  EXPECT_EQ(mesh("pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}").path_normalization,
            MeshConfig::PathNormalization::kDecodeAndMergeSlashes);
  EXPECT_EQ(mesh("pathNormalization: {normalization: NONE}").path_normalization, MeshConfig::PathNormalization::kNone);
  EXPECT_EQ(mesh("rootNamespace: mesh-config\ndefaultConfig: {anything: 1}\naccessLogFile: /dev/stdout").root_namespace,
            "mesh-config");
}

TEST(ReadMesh, ReadsTheIstioConfigMap) {
  EXPECT_EQ(mesh("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: "
                 "|\n    rootNamespace: r\n")
                .root_namespace,
            "r");
  const ParsedFile other =
      read_yaml("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {mesh: 'rootNamespace: r'}\n", "f");
  EXPECT_FALSE(other.mesh);
  ASSERT_EQ(other.diagnostics.size(), 1U);
  EXPECT_EQ(other.diagnostics[0].message, "skipped: kind ConfigMap (v1) is not used by Weir");
}

TEST(ReadMesh, Bad) {
  EXPECT_THAT(test::read_findings("outboundTrafficPolicy: {mode: SOME}"),
              ElementsAre("1:31 Error IST0106 outboundTrafficPolicy.mode has no choice \"SOME\""));
  EXPECT_THAT(test::read_findings("outboundTrafficPolicy: ALLOW_ANY"), ElementsAre(StartsWith("1:24 Error IST0106")));
  EXPECT_THAT(test::read_findings("rootNamespace: a_b"),
              ElementsAre(StartsWith("1:16 Error IST0106 rootNamespace \"a_b\"")));
  EXPECT_THAT(test::read_findings("rootNamespace: a\n---\nrootNamespace: b"),
              ElementsAre(StartsWith("3:1 Error WEIR0003 mesh settings are given twice")));
  EXPECT_THAT(test::read_findings("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata: {mesh: 'a: ['}"),
              ElementsAre(StartsWith("4:14 Error WEIR0001 mesh: ")));
  EXPECT_THAT(test::read_findings(
                  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata: {mesh: 'rootNamespace: [a]'}"),
              ElementsAre(StartsWith("4:14 Error IST0106 mesh: rootNamespace must be a string")));
}

/// Each setting that is not read is named: a warning where traffic goes another way, else an info.
TEST(ReadMesh, NothingIsIgnoredInSilence) {
  const ParsedFile file = read_yaml(
      "rootNamespace: istio-system\ndefaultHttpRetryPolicy: {attempts: 0}\ntrustDomain: a\nrootNamespaces: b\n",
      "mesh.yaml");
  ASSERT_EQ(file.diagnostics.size(), 3U);
  EXPECT_EQ(file.diagnostics[0].at.line, 2U);
  EXPECT_EQ(file.diagnostics[0].level, Level::kWarning);
  EXPECT_EQ(file.diagnostics[0].code, "WEIR0221");
  EXPECT_EQ(file.diagnostics[1].at.line, 3U);
  EXPECT_EQ(file.diagnostics[1].level, Level::kInfo);
  EXPECT_EQ(file.diagnostics[2].at.line, 4U);
  EXPECT_EQ(file.diagnostics[2].hint, "did you mean rootNamespace?");
}

}  // namespace
}  // namespace weir::config
