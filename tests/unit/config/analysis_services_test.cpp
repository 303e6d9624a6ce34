// DestinationRules, Services, ServiceEntries and Gateways; and Istio's own analyzer cases with what Istio expects of
// them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support.h"

namespace weir::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string service(const std::string& name, const std::string& spec) {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: {" + spec + "}\n---\n";
}
std::string pod(const std::string& name, const std::string& labels) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", labels: {" + labels + "}}\n---\n";
}
std::string rule(const std::string& spec) {
  return test::istio("DestinationRule", spec);
}

std::vector<std::string> codes(const std::string& text) {
  std::vector<std::string> all;
  for (const Diagnostic& diagnostic : analyze(read_yaml(text, "f").objects, {})) all.push_back(diagnostic.code);
  return all;
}

const std::string kWeb = service("web", "selector: {app: web}, ports: [{port: 80, name: http}]");

TEST(CheckDestinationRules, UnknownHosts) {
  EXPECT_THAT(codes(kWeb + rule("host: web")), IsEmpty());
  EXPECT_THAT(codes(kWeb + rule("host: '*.svc.cluster.local'")), IsEmpty());
  EXPECT_THAT(codes(kWeb + rule("host: '*'")), IsEmpty());
  EXPECT_THAT(codes(kWeb + rule("host: wep")), ElementsAre("IST0174"));
  EXPECT_THAT(codes(kWeb + rule("host: web.default")), ElementsAre("IST0174"));
  EXPECT_THAT(codes(kWeb + rule("host: '*.nowhere.com'")), ElementsAre("IST0174"));
}

TEST(CheckDestinationRules, SubsetsThatSelectNoPods) {
  const std::string pods = pod("p1", "app: web, version: v1") + pod("p2", "app: db, version: v2");
  EXPECT_THAT(codes(kWeb + pods + rule("host: web\nsubsets: [{name: v1, labels: {version: v1}}, {name: all}]")),
              IsEmpty());
  EXPECT_THAT(codes(kWeb + pods +
                    rule("host: web\nsubsets: [{name: v2, labels: {version: v2}}, {name: v3, labels: {version: v3}}]")),
              ElementsAre("IST0173", "IST0173"));
  // Nothing serves it: one line for the rule, not one for each subset.
  EXPECT_THAT(
      codes(kWeb + rule("host: web\nsubsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]")),
      ElementsAre("IST0173"));
  // Labels of the node cannot be judged.
  EXPECT_THAT(codes(kWeb + pods + rule("host: web\nsubsets: [{name: z, labels: {topology.kubernetes.io/zone: a}}]")),
              IsEmpty());
}

TEST(CheckDestinationRules, SubsetsOfOtherEndpoints) {
  const std::string slice =
      "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1, labels: "
      "{kubernetes.io/service-name: web}}\naddressType: IPv4\n"
      "endpoints: [{addresses: [10.0.0.1], targetRef: {kind: Pod, name: p1}}]\n---\n";
  EXPECT_THAT(codes(service("web", "ports: [{port: 80, name: http}]") + slice + pod("p1", "version: v1") +
                    rule("host: web\nsubsets: [{name: v1, labels: {version: v1}}]")),
              IsEmpty());
  const std::string entry = test::istio("ServiceEntry",
                                        "hosts: [e.com]\naddresses: [10.9.9.9]\nresolution: STATIC\nendpoints: "
                                        "[{address: 10.0.0.1, labels: {version: v1}}]") +
                            "---\n";
  EXPECT_THAT(codes(entry + rule("host: e.com\nsubsets: [{name: v1, labels: {version: v1}}]")), IsEmpty());
  EXPECT_THAT(codes(entry + rule("host: e.com\nsubsets: [{name: v2, labels: {version: v2}}]")), ElementsAre("IST0173"));
  const std::string selected =
      test::istio("ServiceEntry",
                  "hosts: [e.com]\naddresses: [10.9.9.9]\nresolution: STATIC\nworkloadSelector: {labels: {app: e}}") +
      "---\n" + test::istio("WorkloadEntry", "address: 10.0.0.1\nlabels: {app: e, version: v1}") + "---\n";
  EXPECT_THAT(codes(selected + rule("host: e.com\nsubsets: [{name: v1, labels: {version: v1}}]")), IsEmpty());
}

TEST(CheckServicePorts, Names) {
  for (const char* port : {"{port: 80, name: http}", "{port: 80, name: HTTP-web}", "{port: 80, name: grpc-web-x}",
                           "{port: 80, appProtocol: http}", "{port: 53, protocol: UDP}", "{port: 3306}"}) {
    EXPECT_THAT(codes(service("a", "ports: [" + std::string(port) + "]")), IsEmpty()) << port;
  }
  for (const char* port :
       {"{port: 80}", "{port: 80, name: web}", "{port: 80, name: web-http}", "{port: 80, name: httpx}"}) {
    EXPECT_THAT(codes(service("a", "ports: [" + std::string(port) + "]")), ElementsAre("IST0118")) << port;
  }
}

TEST(CheckServiceEntries, AddressesAndProtocols) {
  EXPECT_THAT(codes(test::istio("ServiceEntry", "hosts: [a.com]\nports: [{number: 1, name: a, protocol: TCP}]")),
              ElementsAre("IST0134"));
  EXPECT_THAT(codes(test::istio("ServiceEntry", "hosts: [a.com]\nports: [{number: 1, name: a}]")),
              ElementsAre("IST0134"));
  EXPECT_THAT(codes(test::istio("ServiceEntry",
                                "hosts: [a.com]\naddresses: [10.0.0.1]\nports: [{number: 1, name: a, protocol: TCP}]")),
              IsEmpty());
  EXPECT_THAT(codes(test::istio("ServiceEntry", "hosts: [a.com]\nports: [{number: 1, name: a, protocol: HTTP}]")),
              IsEmpty());
}

// ---------------------------------------------------------------- Istio's cases

struct Case {
  std::string file;
  /// Only findings with these codes are looked at: Istio runs one analyzer a case.
  std::string codes;
  std::vector<std::string> expected;  // "IST0101 VirtualService default/reviews", any order
};

// From istio/istio pkg/config/analysis/analyzers/analyzers_test.go. Where Weir says less it is for one reason each:
// a gateway that does not exist is not said to lack hosts as well (httpbin-bogus); a refused object is refused by the
// reader and said nothing else of.
const std::vector<Case> kCases = {
    {"virtualservice_conflictingmeshgatewayhosts",
     "IST0109",
     {"IST0109 VirtualService team3/ratings", "IST0109 VirtualService team4/ratings",
      "IST0109 VirtualService foo/ratings", "IST0109 VirtualService bar/ratings",
      "IST0109 VirtualService foo/productpage", "IST0109 VirtualService foo/bogus-productpage",
      "IST0109 VirtualService team2/ratings"}},
    {"virtualservice_conflictingmeshgatewayhosts_with_exportto",
     "IST0109",
     {"IST0109 VirtualService foo/productpage", "IST0109 VirtualService bar/productpage",
      "IST0109 VirtualService foo/productpage-c", "IST0109 VirtualService bar/productpage-c",
      "IST0109 VirtualService foo/productpage-d", "IST0109 VirtualService bar/productpage-d"}},
    {"virtualservice_destinationhosts",
     "IST0101 host IST0112",
     {"IST0101 VirtualService default/reviews-bogushost", "IST0101 VirtualService default/reviews-bookinfo-other",
      "IST0101 VirtualService default/reviews-mirror-bogushost", "IST0101 VirtualService default/reviews-bogusport",
      "IST0112 VirtualService default/reviews-2port-missing",
      "IST0101 VirtualService istio-system/cross-namespace-details",
      "IST0101 VirtualService hello/hello-export-to-bogus"}},
    {"virtualservice_destinationrules",
     "IST0101 subset",
     {"IST0101 VirtualService default/reviews-bogussubset",
      "IST0101 VirtualService default/reviews-mirror-bogussubset"}},
    {"virtualservice_gateways",
     "IST0101 gateway IST0132",
     {"IST0101 VirtualService default/httpbin-bogus", "IST0132 VirtualService default/cross-test",
      "IST0132 VirtualService default/httpbin"}},
    {"virtualservice_dupmatches",
     "IST0130 IST0131",
     {"IST0130 VirtualService default/duplicate-match", "IST0130 VirtualService foo/sample-foo-cluster01",
      "IST0131 VirtualService default/almost-duplicate-match", "IST0131 VirtualService default/duplicate-match",
      "IST0130 VirtualService default/duplicate-tcp-match", "IST0130 VirtualService default/duplicate-empty-tcp",
      "IST0131 VirtualService default/almost-duplicate-tcp-match", "IST0131 VirtualService default/duplicate-tcp-match",
      "IST0130 VirtualService none/tls-routing", "IST0131 VirtualService none/tls-routing-almostmatch",
      "IST0131 VirtualService none/tls-routing"}},
    {"virtualservice_overlappingmatches",
     "IST0130 IST0131",
     {"IST0131 VirtualService default/non-method-get", "IST0131 VirtualService default/overlapping-in-single-match",
      "IST0131 VirtualService default/overlapping-in-two-matches",
      "IST0131 VirtualService default/overlapping-mathes-with-different-methods"}},
    {"virtualservice_host_not_found_gateway",
     "IST0132",
     {"IST0132 VirtualService default/testing-service-02-test-01",
      "IST0132 VirtualService default/testing-service-02-test-02",
      "IST0132 VirtualService default/testing-service-02-test-03",
      "IST0132 VirtualService default/testing-service-03-test-04"}},
    {"virtualservice_host_not_found_gateway_beta",
     "IST0132",
     {"IST0132 VirtualService default/testing-service-02-test-01",
      "IST0132 VirtualService default/testing-service-02-test-02",
      "IST0132 VirtualService default/testing-service-02-test-03",
      "IST0132 VirtualService default/testing-service-03-test-04"}},
    {"virtualservice_host_not_found_gateway_with_ns_prefix",
     "IST0132",
     {"IST0132 VirtualService default/testing-service-01-test-01"}},
    {"virtualservice_host_not_found_gateway_with_ns_prefix_beta",
     "IST0132",
     {"IST0132 VirtualService default/testing-service-01-test-01"}},
    {"destinationrule-simple-destination", "IST0128 IST0129", {"IST0128 DestinationRule default/db-tls"}},
    {"destinationrule-mutual-destination", "IST0128 IST0129", {"IST0128 DestinationRule default/db-mtls"}},
    {"destinationrule-simple-port", "IST0128 IST0129", {"IST0129 DestinationRule default/db-tls"}},
    {"destinationrule-mutual-port", "IST0128 IST0129", {"IST0129 DestinationRule default/db-mtls"}},
    {"destinationrule-simple-destination-credentialname",
     "IST0128 IST0129",
     {"IST0128 DestinationRule default/db-tls"}},
    {"destinationrule-simple-destination-credentialname-selector", "IST0128 IST0129", {}},
    {"destinationrule-simple-port-credentialname", "IST0128 IST0129", {"IST0129 DestinationRule default/db-tls"}},
    {"destinationrule-simple-port-credentialname-selector", "IST0128 IST0129", {}},
    {"destinationrule-compound-simple-mutual",
     "IST0128 IST0129",
     {"IST0128 DestinationRule default/db-mtls", "IST0129 DestinationRule default/db-mtls"}},
    {"destinationrule-compound-mutual-simple",
     "IST0128 IST0129",
     {"IST0128 DestinationRule default/db-mtls", "IST0129 DestinationRule default/db-mtls"}},
    {"destinationrule-with-ca", "IST0128 IST0129", {}},
    {"destinationrule-subsets-not-select-pods",
     "IST0173 IST0174",
     {"IST0173 DestinationRule default/subsets-not-select-pods"}},
    {"destinationrule-with-fake-host", "IST0173 IST0174", {"IST0174 DestinationRule default/fake-host"}},
    {"destinationrule-subsets-with-topology-labels", "IST0173 IST0174", {}},
    {"service-no-port-name",
     "IST0118",
     {"IST0118 Service my-namespace1/my-service1", "IST0118 Service my-namespace1/my-service1",
      "IST0118 Service my-namespace2/my-service2"}},
    {"service-port-name", "IST0118", {}},
    {"service-no-port-name-system-namespace", "IST0118", {}},
    {"serviceentry-missing-addresses-protocol",
     "IST0134",
     {"IST0134 ServiceEntry default/service-entry-test-03", "IST0134 ServiceEntry default/service-entry-test-04",
      "IST0134 ServiceEntry default/service-entry-test-07"}},
    {"serviceentry-address-required-lowercase", "IST0134", {"IST0134 ServiceEntry default/address-missing-lowercase"}},
    {"serviceentry-address-required-uppercase", "IST0134", {"IST0134 ServiceEntry default/address-missing-uppercase"}},
    {"serviceentry-address-allocated", "IST0134", {}},
    {"serviceentry-conflicting-protocol",
     "IST0177",
     {"IST0177 ServiceEntry default/se-https", "IST0177 ServiceEntry default/se-http"}},
    {"serviceentry-no-conflict-protocol", "IST0177", {}},
    {"serviceentry-conflicting-exportto", "IST0177", {}},
    {"conflicting-gateways", "IST0145", {"IST0145 Gateway default/alpha", "IST0145 Gateway default/beta"}},
    {"conflicting-gateways-multiple-ports",
     "IST0145",
     {"IST0145 Gateway default/alpha", "IST0145 Gateway default/beta"}},
    {"conflicting-gateways-subSelector", "IST0145", {"IST0145 Gateway default/alpha", "IST0145 Gateway default/beta"}},
    {"conflicting-gateways-invalid-port", "IST0145", {}},
    {"gateway-different-port", "IST0145", {}},
    {"analyze-list-type",
     "IST0145",
     {"IST0145 Gateway default/alpha", "IST0145 Gateway default/alpha-l", "IST0145 Gateway default/beta-l"}},
    {"gateway-custom-ingressgateway", "IST0162", {}},
    {"gateway-custom-ingressgateway-translation", "IST0162", {}},
    {"gateway-custom-ingressgateway-badport", "IST0162", {"IST0162 Gateway default/httpbin-gateway"}},
    {"gateway-custom-ingressgateway-badport-notarget", "IST0162", {"IST0162 Gateway default/httpbin-gateway"}},
    {"gateway-custom-ingressgateway-svcselector", "IST0162", {"IST0162 Gateway default/httpbin8002-gateway"}},
};

/// Is the finding of a kind that the case looks at? "IST0101 host" looks at those whose reference type has "host" in
/// it.
bool looked_at(const Case& item, const Diagnostic& diagnostic) {
  if (item.codes.find(diagnostic.code) == std::string::npos) return false;
  if (diagnostic.code != "IST0101") return true;
  const bool subset = diagnostic.message.find("subset") != std::string::npos;
  const bool gateway = diagnostic.message.find("referenced gateway") != std::string::npos;
  if (item.codes.find("subset") != std::string::npos) return subset;
  return item.codes.find("gateway") != std::string::npos ? gateway : !subset && !gateway;
}

TEST(Corpus, IstiosAnalyzerCases) {
  const std::string folder = test::corpus("istio/pkg/config/analysis/analyzers/testdata");
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  for (const Case& item : kCases) {
    const std::string path = folder + "/" + item.file + ".yaml";
    ASSERT_TRUE(std::filesystem::exists(path)) << path;
    const ParsedFile file = read_yaml(test::read_file(path), item.file);
    std::vector<ObjectPtr> objects = file.objects;
    objects.insert(objects.end(), file.rejected.begin(), file.rejected.end());
    std::vector<std::string> found;
    for (const Diagnostic& diagnostic : analyze(objects, {})) {
      if (looked_at(item, diagnostic)) found.push_back(diagnostic.code + " " + diagnostic.object);
    }
    EXPECT_THAT(found, testing::UnorderedElementsAreArray(item.expected)) << item.file;
  }
  std::cout << "analyzers: " << kCases.size() << " of Istio's cases say what Istio says\n";
}

TEST(Corpus, EverythingIsAnalyzedWithoutACrash) {
  const std::string folder = test::corpus("istio");
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  std::vector<ObjectPtr> objects;
  for (const std::string& path : test::yaml_files(folder)) {
    const ParsedFile file = read_yaml(test::read_file(path), path);
    objects.insert(objects.end(), file.objects.begin(), file.objects.end());
    objects.insert(objects.end(), file.rejected.begin(), file.rejected.end());
  }
  for (const Diagnostic& diagnostic : analyze(objects, {})) {
    EXPECT_FALSE(diagnostic.message.empty());
    EXPECT_GT(diagnostic.at.line, 0U) << to_text(diagnostic);
  }
}

}  // namespace
}  // namespace weir::config
