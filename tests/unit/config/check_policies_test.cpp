#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

/// The first error of the policy; empty: none.
std::string error_of(const std::string& kind, const std::string& spec) {
  for (const std::string& line : test::read_findings("apiVersion: security.istio.io/v1\nkind: " + kind +
                                                     "\nmetadata: {name: a}\nspec: " + spec + "\n")) {
    if (line.find(" Error ") != std::string::npos) return line;
  }
  return {};
}

TEST(CheckAuthorizationPolicy, Good) {
  for (const char* spec :
       {"{}", "{action: ALLOW}", "{action: DENY, rules: [{}]}",
        "{rules: [{from: [{source: {ipBlocks: [10.0.0.0/8, 1.1.1.1], notNamespaces: [a]}}]}]}",
        "{rules: [{to: [{operation: {ports: ['80'], methods: [GET], paths: ['/a/{*}/b/{**}']}}]}]}",
        "{rules: [{when: [{key: 'request.headers[x]', values: [a]}, {key: destination.port, notValues: ['80']}]}]}",
        "{action: CUSTOM, provider: {name: a}, rules: [{to: [{operation: {hosts: [a]}}]}]}",
        "{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: a}]}"}) {
    EXPECT_EQ(error_of("AuthorizationPolicy", spec), "") << spec;
  }
}

TEST(CheckAuthorizationPolicy, Bad) {
  for (const auto& [spec, message] : std::initializer_list<std::pair<const char*, const char*>>{
           {"{action: DENY}", "action DENY without rules"},
           {"{action: CUSTOM}", "action CUSTOM without rules"},
           {"{action: CUSTOM, rules: [{}]}", "needs provider.name"},
           {"{action: BLOCK, rules: [{}]}", "has no choice"},
           {"{provider: {name: a}, rules: [{}]}", "a provider is for action CUSTOM only"},
           {"{rules: [null]}", "must not be null"},
           {"{rules: [{from: [{}]}]}", "spec.rules[0].from[0].source is required"},
           {"{rules: [{from: [{source: {}}]}]}", "must not be empty"},
           {"{rules: [{from: [{source: {ipBlocks: [10.0.0.0/33]}}]}]}", "is not an IP address or subnet"},
           {"{rules: [{from: [{source: {principals: ['']}}]}]}", "must not hold an empty value"},
           {"{rules: [{from: [{source: {serviceAccounts: [a], namespaces: [b]}}]}]}", "cannot have serviceAccounts"},
           {"{rules: [{to: [{operation: {}}]}]}", "must not be empty"},
           {"{rules: [{to: [{operation: {ports: [http]}}]}]}", "is not a port"},
           {"{rules: [{to: [{operation: {paths: ['/{**}/{*}']}}]}]}", "behind {**}"},
           {"{rules: [{to: [{operation: {paths: ['/{a}']}}]}]}", "neither {*} nor {**}"},
           {"{rules: [{to: [{operation: {paths: ['/a*/{*}']}}]}]}", "cannot have"},
           {"{rules: [{when: [{values: [a]}]}]}", "key"},
           {"{rules: [{when: [{key: source.ip}]}]}", "needs values or notValues"},
           {"{rules: [{when: [{key: source.ip, values: [a]}]}]}", "not an IP address"},
           {"{rules: [{when: [{key: request.header, values: [a]}]}]}", "is not an attribute"},
           {"{action: CUSTOM, provider: {name: a}, rules: [{from: [{source: {namespaces: [a]}}]}]}", "CUSTOM takes"},
           {"{action: CUSTOM, provider: {name: a}, rules: [{when: [{key: source.principal, values: [a]}]}]}",
            "CUSTOM cannot"},
           {"{selector: {}, targetRefs: [{kind: Service, name: a}]}", "cannot have both"},
           {"{targetRefs: [{kind: Pod, name: a}]}", "must refer to a Service"},
           {"{targetRefs: [{kind: Service, name: a, namespace: b}]}", "must be empty"}}) {
    EXPECT_NE(error_of("AuthorizationPolicy", spec).find(message), std::string::npos)
        << spec << "\n-> " << error_of("AuthorizationPolicy", spec) << "\nexpected " << message;
  }
}

TEST(CheckRequestAuthentication, Bad) {
  EXPECT_EQ(error_of("RequestAuthentication", "{jwtRules: [{issuer: a, jwksUri: 'https://a.test/keys'}]}"), "");
  for (const char* spec :
       {"{jwtRules: [{}]}", "{jwtRules: [{issuer: ''}]}", "{jwtRules: [{issuer: a, jwksUri: a.test}]}",
        "{jwtRules: [{issuer: a, jwks: a, jwksUri: 'https://a.test'}]}", "{jwtRules: [{issuer: a, fromHeaders: [{}]}]}",
        "{jwtRules: [{issuer: a, timeout: 0s}]}", "{targetRefs: [{kind: ConfigMap, name: a}]}"}) {
    EXPECT_NE(error_of("RequestAuthentication", spec), "") << spec;
  }
}

}  // namespace
}  // namespace weir::config
