#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

using testing::Contains;
using testing::StartsWith;

std::string service(const std::string& metadata) {
  return "apiVersion: v1\nkind: Service\n" + metadata + "\n";
}

TEST(ReadMetadata, Bad) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"spec: {}", "1:1 Error IST0106 metadata is required"},
      {"metadata:", "1:1 Error IST0106 metadata is required"},
      {"metadata: a", "3:11 Error IST0106 metadata must be a map"},
      {"metadata: {}", "3:11 Error IST0106 metadata.name is required"},
      {"metadata: {name: ''}", "3:11 Error IST0106 metadata.name is required"},
      {"metadata: {generateName: a-}", "3:11 Error IST0106 metadata.name is required"},
      {"metadata: {name: A}", "3:18 Error IST0106 metadata.name \"A\" must be lower-case letters"},
      {"metadata: {name: a_b}", "3:18 Error IST0106"},
      {"metadata: {name: [a]}", "3:18 Error IST0106 metadata.name must be a string"},
      {"metadata: {name: a, namespace: a.b}", "3:32 Error IST0106 metadata.namespace \"a.b\" is not a namespace"},
      {"metadata: {name: a, namespace: A}", "3:32 Error IST0106"},
      {"metadata: {name: a, labels: [x]}", "3:29 Error IST0106 metadata.labels must be a map"},
      {"metadata: {name: a, labels: {x: {}}}", "3:33 Error IST0106 metadata.labels.x must be a string"},
      {"metadata: {name: a, annotations: {x: [1]}}", "3:38 Error IST0106 metadata.annotations.x must be a string"},
      {"metadata: {name: a, creationTimestamp: today}",
       "3:40 Error IST0106 creationTimestamp \"today\" is not an RFC 3339 time"},
      {"metadata: {name: a, creationTimestamp: 2024-02-30T00:00:00Z}", "3:40 Error IST0106"},
  };
  for (const auto& [text, expected] : table)
    EXPECT_THAT(test::read_findings(service(text)), Contains(StartsWith(expected))) << text;
}

TEST(ReadMetadata, Good) {
  const auto object =
      test::only<Service>(service("metadata:\n  name: a.b\n  namespace: ns\n  uid: u\n  creationTimestamp: "
                                  "2024-01-02T00:00:00Z\n  labels: {v: 1.10}\n  annotations:\n    x/y: z\n  "
                                  "managedFields: []"));
  EXPECT_EQ(object.meta.describe(), "Service ns/a.b");
  EXPECT_EQ(object.meta.at, (Position{1, 1}));
  EXPECT_EQ(object.meta.name_at, (Position{4, 9}));
  EXPECT_EQ(object.meta.creation_timestamp, 1704067200 + 86400);
  EXPECT_EQ(object.meta.labels.at("v"), "1.10");
  EXPECT_EQ(object.meta.annotations_at.at("x/y"), (Position{10, 5}));
  EXPECT_EQ(object.meta.file, "test.yaml");
  EXPECT_NE(object.meta.fingerprint, 0U);
  EXPECT_EQ(test::only<Service>(service("metadata: {name: a, creationTimestamp: null}")).meta.creation_timestamp,
            1704067200);
}

TEST(ReadMetadata, NamespacesHaveNone) {
  EXPECT_EQ(test::only<Namespace>("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n").meta.describe(),
            "Namespace a");
  EXPECT_EQ(test::only<Service>(service("metadata: {name: a}")).meta.namespace_, "default");
}

std::vector<std::string> annotated(const std::string& annotation) {
  return test::read_findings(
      "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: a\n  annotations:\n    " +
      annotation + "\nspec: {hosts: [a], http: [{route: [{destination: {host: a}}]}]}\n");
}

TEST(ReadMetadata, WeirsOwnAnnotations) {
  for (const char* good : {"weir.dev/split: request", "weir.dev/split: connection", "weir.dev/sticky: source-ip",
                           "weir.dev/sticky: header:X-User", "weir.dev/sticky: cookie:session",
                           "weir.dev/sticky: query:user", "other.dev/split: x"}) {
    EXPECT_TRUE(annotated(good).empty()) << good;
  }
  EXPECT_THAT(annotated("weir.dev/split: packet"),
              Contains(StartsWith("6:21 Error IST0125 annotation weir.dev/split has no choice \"packet\"")));
  for (const char* bad : {"weir.dev/sticky: ''", "weir.dev/sticky: header", "weir.dev/sticky: 'header:'",
                          "weir.dev/sticky: ip", "weir.dev/sticky: 'header:a b'"}) {
    EXPECT_THAT(annotated(bad), Contains(StartsWith("6:22 Error IST0125"))) << bad;
  }
  EXPECT_THAT(annotated("weir.dev/stickiness: ip"),
              Contains(StartsWith("6:5 Warning IST0108 annotation \"weir.dev/stickiness\" is unknown")));
}

}  // namespace
}  // namespace weir::config
