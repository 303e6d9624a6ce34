#include "config/model_gateway_api.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "support.h"

namespace weir::config {
namespace {

std::string text_of(std::string_view kind, std::string_view spec) {
  const ParsedFile file = read_yaml(test::object("gateway.networking.k8s.io/v1", kind, spec), "a.yaml");
  EXPECT_FALSE(has_errors(file.diagnostics)) << to_text(file.diagnostics.front());
  return file.objects.size() == 1 ? to_text(*file.objects.front()) : "";
}

TEST(ModelGatewayApi, EveryKindPrintsItself) {
  EXPECT_EQ(text_of("GatewayClass", "controllerName: weir.dev/gateway-controller"),
            "GatewayClass a controller=weir.dev/gateway-controller");
  EXPECT_EQ(text_of("Gateway",
                    "gatewayClassName: weir\n"
                    "listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 81, protocol: HTTP, "
                    "hostname: '*.example.com'}]"),
            "Gateway default/a class=weir listeners=a{HTTP:80},b{HTTP:81 *.example.com}");
  EXPECT_EQ(text_of("ListenerSet", "parentRef: {name: g}\nlisteners: [{name: a, port: 80, protocol: HTTP}]"),
            "ListenerSet default/a parent=Gateway g listeners=a{HTTP:80}");
  EXPECT_EQ(text_of("HTTPRoute",
                    "parentRefs: [{name: g, sectionName: s, port: 80}, {group: '', kind: Service, name: s, "
                    "namespace: n}]\nhostnames: [a.com]\nrules:\n"
                    "- backendRefs: [{name: b, port: 80, weight: 3}, {name: c, namespace: n, port: 81}]\n"
                    "- filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]"),
            "HTTPRoute default/a parents=Gateway g:80#s,Service n/s hostnames=a.com "
            "rules=[b:80=3,n/c:81=1],redirect 302");
  EXPECT_EQ(text_of("GRPCRoute", "rules: [{backendRefs: [{name: b, port: 80}]}]"),
            "GRPCRoute default/a parents= hostnames= rules=[b:80=1]");
  EXPECT_EQ(text_of("TCPRoute", "rules: [{backendRefs: [{name: b, port: 80}]}]"),
            "TCPRoute default/a parents= hostnames= rules=[b:80=1]");
  EXPECT_EQ(text_of("UDPRoute", "rules: [{backendRefs: [{name: b, kind: Other, group: x.y}]}]"),
            "UDPRoute default/a parents= hostnames= rules=[Other b=1]");
  EXPECT_EQ(text_of("TLSRoute", "hostnames: [a.com]\nrules: [{backendRefs: [{name: b, port: 80}]}]"),
            "TLSRoute default/a parents= hostnames=a.com rules=[b:80=1]");
  EXPECT_EQ(text_of("ReferenceGrant",
                    "from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: n}]\n"
                    "to: [{group: '', kind: Service, name: s}, {group: '', kind: Secret}]"),
            "ReferenceGrant default/a from=HTTPRoute n to=Service s,Secret");
  EXPECT_EQ(text_of("BackendTLSPolicy",
                    "targetRefs: [{group: '', kind: Service, name: s}]\n"
                    "validation: {hostname: a.com, wellKnownCACertificates: System}"),
            "BackendTLSPolicy default/a targets=Service s hostname=a.com");
}

std::vector<std::string> errors_of(const std::string& path) {
  std::vector<std::string> errors;
  for (const Diagnostic& diagnostic : read_yaml(test::read_file(path), path).diagnostics) {
    if (diagnostic.level == Level::kError) errors.push_back(to_text(diagnostic));
  }
  return errors;
}

/// `faulty`: parts of names of files, or of errors, that are meant to be.
void expect_no_errors(const std::string& folder, size_t least, const std::vector<std::string>& faulty) {
  const auto files = test::yaml_files(folder);
  EXPECT_GE(files.size(), least) << folder;
  for (const std::string& path : files) {
    for (const std::string& error : errors_of(path)) {
      const auto is_meant = [&](const std::string& part) { return error.find(part) != std::string::npos; };
      EXPECT_TRUE(std::any_of(faulty.begin(), faulty.end(), is_meant)) << error;
    }
  }
}

TEST(ModelGatewayApi, TheOraclesObjectsAreRead) {
  const std::string cases = test::corpus("oracle/cases");
  if (cases.empty()) GTEST_SKIP() << "no corpus";
  for (const auto& folder : std::filesystem::directory_iterator(cases)) {
    const std::string name = folder.path().filename().string();
    if (name.starts_with("gwapi-") || name == "gateway-api")
      expect_no_errors(folder.path().string() + "/config", 1, {"default/refused", "HTTPRoute default/noport"});
  }
}

/// The Go module sigs.k8s.io/gateway-api at GATEWAY_API_DIR: its examples, the conformance suite's objects, and what
/// its CRDs refuse.
TEST(ModelGatewayApi, WhatTheCrdsAcceptIsRead) {
  const char* folder = std::getenv("GATEWAY_API_DIR");
  if (folder == nullptr) GTEST_SKIP() << "no GATEWAY_API_DIR";
  expect_no_errors(std::string(folder) + "/examples", 50, {});
  if (std::filesystem::exists(std::string(folder) + "/conformance"))
    expect_no_errors(std::string(folder) + "/conformance", 100,
                     {"/reports/", "conformance-options", "PLACEHOLDER", "{GATEWAY_CONTROLLER_NAME}"});
}

TEST(ModelGatewayApi, WhatTheCrdsRefuseIsRefused) {
  const char* folder = std::getenv("GATEWAY_API_DIR");
  if (folder == nullptr) GTEST_SKIP() << "no GATEWAY_API_DIR";
  for (const std::string& path : test::yaml_files(std::string(folder) + "/hack/invalid-examples")) {
    EXPECT_FALSE(errors_of(path).empty()) << path;
  }
}

}  // namespace
}  // namespace weir::config
