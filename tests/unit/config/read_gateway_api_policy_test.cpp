#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

constexpr const char* kVersion = "gateway.networking.k8s.io/v1";

TEST(ReadGatewayApiPolicy, ReferenceGrants) {
  test::check_specs("ReferenceGrant", "@",
                    {{"from: [{group: g, kind: K, namespace: n}]\nto: [{group: '', kind: Service}]", ""},
                     {"to: [{group: '', kind: Service}]", "6:3 Error IST0106 spec.from is required"},
                     {"from: [{group: g, kind: K, namespace: n}]", "6:3 Error IST0106 spec.to is required"},
                     {"from: [{group: g, kind: K}]\nto: [{group: '', kind: Service}]",
                      "6:10 Error IST0106 spec.from[0].namespace is required"},
                     {"from: [{kind: K, namespace: n}]\nto: [{group: '', kind: Service}]",
                      "6:10 Error IST0106 spec.from[0].group is required"},
                     {"from: [{group: g, kind: K, namespace: n}]\nto: [{group: ''}]",
                      "7:8 Error IST0106 spec.to[0].kind is required"},
                     {"from: [{group: g, kind: K, namespace: n}]\nto: [{group: '', kind: S, name: ''}]",
                      "7:35 Error IST0106 spec.to[0].name must not be empty"}},
                    kVersion);
}

TEST(ReadGatewayApiPolicy, BackendTlsPolicies) {
  const std::string targets = "targetRefs: [{group: '', kind: Service, name: s}]\n";
  const std::vector<std::pair<std::string, std::string>> table = {
      {targets + "validation: {hostname: a.com, wellKnownCACertificates: System}", ""},
      {targets + "validation: {hostname: a.com, caCertificateRefs: [{group: '', kind: ConfigMap, name: c}], "
                 "subjectAltNames: [{type: URI, uri: 'spiffe://a/b'}, {type: Hostname, hostname: '*.a'}]}",
       ""},
      {"validation: {hostname: a.com, wellKnownCACertificates: System}",
       "6:3 Error IST0106 spec.targetRefs is required"},
      {targets, "6:3 Error IST0106 spec.validation is required"},
      {targets + "validation: {wellKnownCACertificates: System}",
       "7:15 Error IST0106 spec.validation.hostname is required"},
      {targets + "validation: {hostname: a.com}",
       "7:15 Error IST0106 must specify either caCertificateRefs or wellKnownCACertificates"},
      {targets + "validation: {hostname: a.com, wellKnownCACertificates: Mine}",
       "7:58 Error IST0106 spec.validation.wellKnownCACertificates \"Mine\" has no such choice"},
      {targets + "validation: {hostname: a.com, wellKnownCACertificates: System, caCertificateRefs: [{group: '', kind: "
                 "ConfigMap, name: c}]}",
       "7:15 Error IST0106 must not contain both caCertificateRefs and wellKnownCACertificates"},
      {targets + "validation: {hostname: a.com, wellKnownCACertificates: System, subjectAltNames: [{type: URI}]}",
       "7:84 Error IST0106 spec.validation.subjectAltNames[0].uri is required for type URI"},
      {targets + "validation: {hostname: a.com, wellKnownCACertificates: System, subjectAltNames: [{type: Hostname, "
                 "hostname: a, uri: 'a://b'}]}",
       "7:119 Error IST0106 spec.validation.subjectAltNames[0].uri must not be there: type is Hostname"},
      {"targetRefs: [{group: '', kind: Service, name: s}, {group: '', kind: Service, name: s}]\n"
       "validation: {hostname: a.com, wellKnownCACertificates: System}",
       "6:53 Error IST0106 sectionName must be unique when targetRefs includes 2 or more references"},
      {"targetRefs: [{group: '', kind: Service, name: s}, {group: '', kind: Service, name: s, sectionName: a}]\n"
       "validation: {hostname: a.com, wellKnownCACertificates: System}",
       "6:53 Error IST0106 sectionName must be specified when targetRefs includes 2 or more references"},
  };
  for (const auto& [spec, expected] : table) {
    auto found = test::read_findings(test::object(kVersion, "BackendTLSPolicy", spec));
    ASSERT_FALSE(found.empty());
    EXPECT_TRUE(found.front().starts_with("1:1 Warning WEIR0202 BackendTLSPolicy is not honoured")) << found.front();
    found.erase(found.begin());
    EXPECT_EQ(found.size(), expected.empty() ? 0U : 1U) << spec;
    if (!expected.empty() && !found.empty()) {
      EXPECT_TRUE(found.front().starts_with(expected)) << found.front() << "\nexpected " << expected;
    }
  }
}

}  // namespace
}  // namespace weir::config
