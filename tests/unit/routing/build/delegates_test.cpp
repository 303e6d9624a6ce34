#include "routing/build/delegates.h"

#include "support.h"

namespace weir::routing {
namespace {

config::HttpMatch match_of(const std::string& yaml) {
  const auto file = read(
      rule_yaml("x", "default", "x", "  http:\n  - match: [" + yaml + "]\n    route: [{destination: {host: x}}]\n"));
  return std::get<config::VirtualService>(*file.objects.at(0)).http.at(0).match.at(0);
}

bool inside(const std::string& root, const std::string& leaf) {
  config::HttpRoute outer, inner;
  outer.match.push_back(match_of(root));
  inner.match.push_back(match_of(leaf));
  return merge_delegate(outer, inner).has_value();
}

// istio-facts 38.
TEST(MergeDelegate, KeepsOnlyWhatIsInsideTheRootsMatch) {
  struct Case {
    const char *root, *leaf;
    bool expected;
  };
  for (const Case& c : {
           Case{"{uri: {prefix: /team}}", "{uri: {prefix: /team/sub}}", true},
           Case{"{uri: {prefix: /team}}", "{uri: {prefix: /team}}", true},
           Case{"{uri: {prefix: /team}}", "{uri: {exact: /team/x}}", true},
           Case{"{uri: {prefix: /team}}", "{method: {exact: GET}}", true},
           Case{"{uri: {exact: /a}}", "{uri: {exact: /a}}", true},
           Case{"{headers: {x: {exact: '1'}}}", "{headers: {y: {exact: '2'}}}", true},
           Case{"{port: 80}", "{port: 80}", true},
           Case{"{gateways: [mesh, gw]}", "{gateways: [mesh]}", true},
           Case{"{sourceLabels: {app: a}}", "{sourceLabels: {version: v1}}", true},
           // Conflicts.
           Case{"{uri: {prefix: /team}}", "{uri: {prefix: /elsewhere}}", false},
           Case{"{uri: {prefix: /team}}", "{uri: {prefix: /tea}}", false},
           Case{"{uri: {prefix: /team}}", "{uri: {regex: '/team/r.*'}}", false},
           Case{"{uri: {regex: '/a.*'}}", "{uri: {exact: /ab}}", false},
           Case{"{uri: {exact: /a}}", "{uri: {exact: /b}}", false},
           Case{"{uri: {exact: /a}}", "{uri: {prefix: /a}}", false},
           Case{"{headers: {x: {exact: '1'}}}", "{headers: {x: {exact: '2'}}}", false},
           Case{"{withoutHeaders: {x: {exact: '1'}}}", "{withoutHeaders: {x: {exact: '2'}}}", false},
           Case{"{queryParams: {q: {exact: '1'}}}", "{queryParams: {q: {exact: '2'}}}", false},
           Case{"{method: {exact: GET}}", "{method: {exact: PUT}}", false},
           Case{"{port: 80}", "{port: 81}", false},
           Case{"{gateways: [mesh]}", "{gateways: [gw]}", false},
           Case{"{sourceLabels: {app: a}}", "{sourceLabels: {app: b}}", false},
           Case{"{sourceNamespace: a}", "{sourceNamespace: b}", false},
           Case{"{uri: {prefix: /A}, ignoreUriCase: true}", "{uri: {prefix: /A/b}}", false},
       }) {
    EXPECT_EQ(inside(c.root, c.leaf), c.expected) << c.root << " " << c.leaf;
  }
}

const std::string kRoot = R"(  http:
  - name: to-team
    match: [{uri: {prefix: /team}}]
    timeout: 5s
    rewrite: {uri: /rooted}
    headers: {request: {set: {x-root: '1'}}}
    delegate: {name: team, namespace: team}
  - name: default
    route: [{destination: {host: web}}]
)";

std::string delegate(const std::string& spec, const std::string& more = "") {
  return "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: team, namespace: "
         "team}\nspec:\n" +
         more + spec;
}

const std::string kTeamRoutes = R"(  http:
  - name: sub
    match: [{uri: {prefix: /team/sub}}]
    timeout: 1s
    route: [{destination: {host: deep}}]
  - name: outside
    match: [{uri: {prefix: /elsewhere}}]
    route: [{destination: {host: deep}}]
  - name: rest
    headers: {request: {set: {x-own: '1'}}}
    route: [{destination: {host: deep}}]
)";

const RuleSet& root_of(const Table& table) {
  const auto& rules = table.rules.find("web.default.svc.cluster.local");
  return *rules->rules.front();
}

TEST(MergeDelegate, TheDelegatesFieldsWinAndTheRootsFillIn) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2") + rule_yaml("root", "default", "web", kRoot) +
                              delegate(kTeamRoutes));
  const RuleSet& root = root_of(*table);
  ASSERT_EQ(root.http.size(), 3U);
  const HttpRule& sub = root.http[0];
  EXPECT_EQ(sub.origin.route, "to-team-sub");
  EXPECT_EQ(sub.timeout, std::chrono::seconds(1));
  ASSERT_NE(sub.rewrite, nullptr);
  EXPECT_EQ(sub.destinations.at(0).host.substr(sub.destinations[0].host.find('.')), ".team.svc.cluster.local")
      << "short destination names are the delegate's";
  EXPECT_EQ(sub.origin.name, "root");
  const HttpRule& rest = root.http[1];
  EXPECT_EQ(rest.origin.route, "to-team-rest");
  EXPECT_EQ(rest.match.at(0).matcher->uri()->value(), "/team");
  HeaderList headers;
  rest.destinations.at(0).request_headers.apply(headers, {RequestView{}, headers, ""});
  EXPECT_EQ(headers, (HeaderList{{"x-own", "1"}})) << "all of the root's are lost when the delegate has any";
  EXPECT_EQ(root.http[2].origin.index, 2);
  EXPECT_NE(conditions_of(*table).find("its match is not inside that of route 0"), std::string::npos)
      << conditions_of(*table);
}

TEST(MergeDelegate, WithoutAVisibleDelegateTheRootsRouteVanishes) {
  const std::string base = service_yaml("web", "default", "10.0.0.2") + rule_yaml("root", "default", "web", kRoot);
  for (const std::string& yaml :
       {base, base + delegate(kTeamRoutes, "  exportTo: ['.']\n"), base + delegate(kTeamRoutes, "  hosts: [x]\n")}) {
    const auto table = table_of(yaml);
    ASSERT_EQ(root_of(*table).http.size(), 1U);
    EXPECT_EQ(root_of(*table).http[0].origin.route, "default");
    EXPECT_NE(conditions_of(*table).find("route 0 is left out"), std::string::npos) << conditions_of(*table);
  }
}

TEST(MergeDelegate, AChangeOfTheDelegateChangesTheRoot) {
  config::Store store;
  TableBuilder builder({});
  builder.update(
      {}, store.set(
              read(service_yaml("web", "default", "10.0.0.2") + rule_yaml("root", "default", "web", kRoot), "a.yaml")));
  EXPECT_EQ(root_of(*builder.update({}, store.set(read(delegate(kTeamRoutes), "b.yaml")))).http.size(), 3U);
  EXPECT_EQ(root_of(*builder.update({}, store.remove("b.yaml"))).http.size(), 1U);
}

}  // namespace
}  // namespace weir::routing
