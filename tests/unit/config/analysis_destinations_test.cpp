#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kServices =
    "apiVersion: v1\nkind: Service\nmetadata: {name: one}\nspec: {ports: [{port: 80, name: http}]}\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: two}\nspec: {ports: [{port: 80, name: http}, {port: 81, name: "
    "http-b}]}\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: far, namespace: other}\nspec: {ports: [{port: 80, name: "
    "http}]}\n---\n"
    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: se}\nspec: {hosts: ['*.ext.com'], ports: "
    "[{number: 443, name: tls, protocol: TLS}]}\n---\n"
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {version: v1}}\n---\n"
    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: dr}\nspec: {host: se.ext.com, "
    "subsets: [{name: v1, labels: {}}]}\n---\n";  // 27 lines

/// Findings of a VirtualService that sends to `destination`, without their place.
std::vector<std::string> findings(const std::string& destination, const std::string& more = "") {
  auto all = test::analysis_findings(
      kServices +
      test::istio("VirtualService", "hosts: [h]\nhttp:\n- route: [{destination: " + destination + "}]" + more));
  std::erase_if(all, [](const std::string& line) { return line.find("IST0173") != std::string::npos; });
  for (std::string& line : all) line = line.substr(line.find(' ') + 1);
  return all;
}

TEST(CheckDestinations, FineOnesSayNothing) {
  for (const char* destination :
       {"{host: one}", "{host: ONE}", "{host: one.default.svc.cluster.local}", "{host: one.default.svc.cluster.local.}",
        "{host: one, port: {number: 80}}", "{host: two, port: {number: 81}}", "{host: far.other.svc.cluster.local}",
        "{host: a.ext.com}", "{host: '*.ext.com'}", "{host: se.ext.com, subset: v1}"}) {
    EXPECT_THAT(findings(destination), IsEmpty()) << destination;
  }
}

TEST(CheckDestinations, WhatNobodyDefines) {
  EXPECT_THAT(findings("{host: nosuch}"), ElementsAre("Error IST0101 referenced host not found: \"nosuch\""));
  EXPECT_THAT(findings("{host: far}"), ElementsAre("Error IST0101 referenced host not found: \"far\""));
  EXPECT_THAT(findings("{host: far.other}"), ElementsAre("Error IST0101 referenced host not found: \"far.other\""));
  EXPECT_THAT(findings("{host: ext.com}"), ElementsAre("Error IST0101 referenced host not found: \"ext.com\""));
  EXPECT_THAT(findings("{host: nosuch, subset: v1}"),
              ElementsAre("Error IST0101 referenced host not found: \"nosuch\""));
  EXPECT_THAT(findings("{host: one, port: {number: 99}}"),
              ElementsAre("Error IST0101 referenced host:port not found: \"one:99\""));
  EXPECT_THAT(findings("{host: one, subset: v9}"),
              ElementsAre("Error IST0101 referenced host+subset in destinationrule not found: \"one+v9\""));
  EXPECT_THAT(findings("{host: se.ext.com, subset: v9}"),
              ElementsAre("Error IST0101 referenced host+subset in destinationrule not found: \"se.ext.com+v9\""));
  EXPECT_THAT(findings("{host: two}"),
              ElementsAre(HasSubstr(
                  "IST0112 this VirtualService routes to a service \"two\" that exposes multiple ports [80, 81]")));
  EXPECT_THAT(findings("{host: one}", "\n  mirror: {host: nosuch}"),
              ElementsAre("Error IST0101 referenced mirror host not found: \"nosuch\""));
  EXPECT_THAT(findings("{host: one}", "\n  mirror: {host: one, subset: v9}"),
              ElementsAre("Error IST0101 referenced mirror+subset in destinationrule not found: \"one+v9\""));
  EXPECT_THAT(findings("{host: one}", "\ntcp: [{route: [{destination: {host: gone}}]}]"),
              ElementsAre("Error IST0101 referenced host not found: \"gone\""));
}

std::string hint(const std::string& destination) {
  const ParsedFile file = read_yaml(
      kServices + test::istio("VirtualService", "hosts: [h]\nhttp:\n- route: [{destination: " + destination + "}]"),
      "f");
  for (const Diagnostic& diagnostic : analyze(file.objects, {})) {
    if (diagnostic.code == "IST0101") return diagnostic.hint;
  }
  return "";
}

TEST(CheckDestinations, HintsNameTheLikeliestMistake) {
  EXPECT_EQ(hint("{host: nosuch}"), "services in namespace default are one, two");
  EXPECT_EQ(hint("{host: far}"),
            "a short name is looked up in the VirtualService's namespace: write far.other.svc.cluster.local");
  EXPECT_EQ(hint("{host: far.other}"), "a name with a dot is not completed: write far.other.svc.cluster.local");
  EXPECT_EQ(hint("{host: one, subset: v9}"), "no DestinationRule for one.default.svc.cluster.local defines subsets");
  EXPECT_EQ(hint("{host: se.ext.com, subset: v9}"), "subsets defined are v1 (f:28:43)");
  EXPECT_EQ(hint("{host: two, port: {number: 9}}"), "Service default/two has the ports 80, 81 (f:8:18)");
}

}  // namespace
}  // namespace weir::config
