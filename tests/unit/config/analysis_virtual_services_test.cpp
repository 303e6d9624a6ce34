#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string object(const std::string& kind, const std::string& name, const std::string& spec,
                   const std::string& created = "2024-01-01") {
  const size_t slash = name.find('/');
  return "apiVersion: networking.istio.io/v1\nkind: " + kind + "\nmetadata: {name: " + name.substr(slash + 1) +
         ", namespace: " + name.substr(0, slash) + ", creationTimestamp: '" + created + "T00:00:00Z'}\nspec: {" + spec +
         "}\n---\n";
}
std::string vs(const std::string& name, const std::string& spec, const std::string& created = "2024-01-01") {
  return object("VirtualService", name, spec + ", http: [{directResponse: {status: 200}}]", created);
}
std::string gateway(const std::string& name, const std::string& hosts) {
  return object(
      "Gateway", name,
      "selector: {istio: g}, servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: [" + hosts + "]}]");
}

/// "code object" of each finding.
std::vector<std::string> found(const std::string& text) {
  std::vector<std::string> all;
  for (const Diagnostic& diagnostic : analyze(read_yaml(text, "f").objects, {}))
    all.push_back(diagnostic.code + " " + diagnostic.object);
  return all;
}

TEST(CheckGateways, ReferenceForms) {
  const std::string gw = gateway("x/gw", "'*'");
  for (const char* name : {"gw", "./gw", "x/gw", "gw.x.svc.cluster.local", "mesh"}) {
    EXPECT_THAT(found(gw + vs("x/a", "hosts: [a.com], gateways: [" + std::string(name) + "]")), IsEmpty()) << name;
  }
  for (const char* name : {"other", "y/gw", "gw.y.svc.cluster.local"}) {
    EXPECT_THAT(found(gw + vs("x/a", "hosts: [a.com], gateways: [" + std::string(name) + "]")),
                ElementsAre("IST0101 VirtualService x/a"))
        << name;
  }
}

TEST(CheckGateways, HostsMustMeet) {
  const auto both = [](const std::string& server, const std::string& host, const std::string& space) {
    return found(gateway("x/gw", server) + vs(space + "/a", "hosts: [" + host + "], gateways: [x/gw]"));
  };
  EXPECT_THAT(both("'*.com'", "a.com", "x"), IsEmpty());
  EXPECT_THAT(both("a.com", "'*.com'", "x"), IsEmpty());
  EXPECT_THAT(both("'./a.com'", "a.com", "x"), IsEmpty());
  EXPECT_THAT(both("'*/a.com'", "a.com", "y"), IsEmpty());
  EXPECT_THAT(both("y/a.com", "a.com", "y"), IsEmpty());
  EXPECT_THAT(both("'./a.com'", "a.com", "y"), ElementsAre("IST0132 VirtualService y/a"));
  EXPECT_THAT(both("y/a.com", "a.com", "x"), ElementsAre("IST0132 VirtualService x/a"));
  EXPECT_THAT(both("b.com", "a.com", "x"), ElementsAre("IST0132 VirtualService x/a"));
  EXPECT_THAT(both("'*.b.com'", "b.com", "x"), ElementsAre("IST0132 VirtualService x/a"));
}

TEST(CheckMeshHosts, TwoOwners) {
  EXPECT_THAT(found(vs("x/a", "hosts: [s]") + vs("x/b", "hosts: [s.x.svc.cluster.local]")),
              ElementsAre("IST0109 VirtualService x/a", "IST0109 VirtualService x/b"));
  EXPECT_THAT(found(vs("x/a", "hosts: [s.com]") + vs("y/b", "hosts: [S.com], exportTo: [.]")),
              ElementsAre("IST0109 VirtualService x/a", "IST0109 VirtualService y/b"));
}

TEST(CheckMeshHosts, NoConflict) {
  EXPECT_THAT(found(vs("x/a", "hosts: [s]") + vs("y/b", "hosts: [s]")), IsEmpty());  // two services
  EXPECT_THAT(found(vs("x/a", "hosts: [s.com], exportTo: [.]") + vs("y/b", "hosts: [s.com], exportTo: [.]")),
              IsEmpty());                                                                      // nobody sees both
  EXPECT_THAT(found(vs("x/a", "hosts: [s.com]") + vs("x/b", "hosts: ['*.com']")), IsEmpty());  // exact beats wildcard
  EXPECT_THAT(found(gateway("x/gw", "'*'") + vs("x/a", "hosts: [s.com]") + vs("x/b", "hosts: [s.com], gateways: [gw]")),
              IsEmpty());  // merged there
}

TEST(CheckMeshHosts, HintNamesTheWinner) {
  const ParsedFile file = read_yaml(vs("x/young", "hosts: [s.com]", "2024-02-01") + vs("y/old", "hosts: [s.com]"), "f");
  const Diagnostics diagnostics = analyze(file.objects, {});
  ASSERT_EQ(diagnostics.size(), 2U);
  EXPECT_THAT(diagnostics[0].hint, testing::HasSubstr("for this host y/old (the oldest, then by name) is used alone"));
}

}  // namespace
}  // namespace weir::config
