#include "agent/views/proxy_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/views/views.h"
#include "routing/build/table_builder.h"
#include "samples.h"
#include "tests/unit/proxy_process/samples.h"

namespace weir::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using What = ProxyState::What;

std::shared_ptr<const routing::Table> table_of(const std::string& yaml) {
  config::Store store;
  store.set(config::read_yaml(yaml, "app.yaml"));
  return routing::build_table(store);
}

State proxied(What what) {
  State state;
  state.table = table_of(proxy_process::test::sample_yaml());
  state.proxy.what = what;
  state.proxy.addresses.v4 = IpAddress::parse("10.0.0.1");
  state.proxy.generation = 3;
  state.proxy.pid = 7;
  return state;
}

TEST(ProxyView, CountsServicesByWhatHappensWithoutIt) {
  EXPECT_EQ(proxied_services(nullptr).all(), 0U);
  EXPECT_EQ(proxied_services(routing::build_table(sample_store()).get()).all(), 0U) << "split in the kernel";
  const auto services = proxied_services(proxied(What::kUp).table.get());
  EXPECT_EQ(services.split, 1U);
  EXPECT_EQ(services.refused, 0U);
  std::string refusing = proxy_process::test::sample_yaml();
  const std::string metadata = "kind: VirtualService\nmetadata: {name: ext, namespace: default";
  refusing.insert(refusing.find(metadata) + metadata.size(), ", annotations: {weir.dev/on-proxy-failure: refuse}");
  EXPECT_EQ(proxied_services(table_of(refusing).get()).refused, 1U);
}

TEST(ProxyView, SaysWhatHappensInWords) {
  EXPECT_EQ(without_proxy_text({1, 0}), "1 service is split by connection over its default route");
  EXPECT_EQ(without_proxy_text({2, 3}),
            "2 services are split by connection over their default routes, 3 services are refused");
  EXPECT_EQ(without_proxy_text({}), "");
}

TEST(ProxyView, OfAHealthyOneHasNoProblems) {
  EXPECT_THAT(proxy_problems(proxied(What::kUp)), IsEmpty());
  State none;
  EXPECT_THAT(proxy_problems(none), IsEmpty());
}

TEST(ProxyView, ADownOneIsAProblemOnlyWhereSomeServiceNeedsIt) {
  State state = proxied(What::kDown);
  state.proxy.why = "was killed by signal 9 (Killed)";
  EXPECT_THAT(proxy_problems(state), ElementsAre(HasSubstr("signal 9")));
  EXPECT_THAT(proxy_problems(state), ElementsAre(HasSubstr("1 service is split by connection")));
  state.table = routing::build_table(sample_store());
  EXPECT_THAT(proxy_problems(state), IsEmpty());
}

TEST(ProxyView, TroubleAndAPoorAddressAreProblems) {
  State state = proxied(What::kUp);
  state.proxy.trouble = "it has not taken generation 4 yet";
  EXPECT_THAT(proxy_problems(state), ElementsAre(HasSubstr("generation 3 holds")));
  state.proxy.trouble.clear();
  state.proxy.addresses = {IpAddress::parse("127.0.0.1"), std::nullopt};
  EXPECT_THAT(proxy_problems(state), IsEmpty()) << "right for a node without pods";
  EXPECT_EQ(proxy_view(state, nullptr, 0)["loopback_only"], true);
  state = proxied(What::kUnsupported);
  state.proxy.why = "no sk_lookup";
  EXPECT_THAT(proxy_problems(state), ElementsAre(HasSubstr("no sk_lookup")));
}

TEST(ProxyView, OfARequestSaysWhetherItIsCarried) {
  State state = proxied(What::kUp);
  EXPECT_EQ(proxy_outcome(state, "ext.example", 80)["serves"], true);
  EXPECT_EQ(proxy_outcome(state, "ext.example", 80)["pid"], 7);
  state.proxy.silent = true;
  EXPECT_THAT(proxy_problems(state), ElementsAre(AllOf(HasSubstr("the kernel sees no sign of life"),
                                                       HasSubstr("meanwhile 1 service is split"))));
  EXPECT_EQ(proxy_outcome(state, "ext.example", 80)["serves"], false);
  state = proxied(What::kDown);
  EXPECT_THAT(proxy_outcome(state, "ext.example", 80)["without"].get<std::string>(), HasSubstr("default route"));
  EXPECT_THAT(proxy_outcome(state, "nowhere", 80)["without"].get<std::string>(), HasSubstr("refused"));
}

TEST(ProxyView, ShowsTheAgeOfTheBeat) {
  datapath::MapsView maps;
  const State state = proxied(What::kUp);
  EXPECT_TRUE(proxy_view(state, nullptr, 5'000'000'000)["beat_age_s"].is_null());
  EXPECT_TRUE(proxy_view(state, &maps, 5'000'000'000)["beat_age_s"].is_null());
  maps.proxy.beat_ns = 4'500'000'000;
  EXPECT_DOUBLE_EQ(proxy_view(state, &maps, 5'000'000'000)["beat_age_s"], 0.5);
  EXPECT_DOUBLE_EQ(proxy_view(state, &maps, 4'000'000'000)["beat_age_s"], 0.0) << "written since we looked";
  EXPECT_EQ(proxy_view(state, &maps, 0)["state"], "up");
  EXPECT_EQ(proxy_view(state, &maps, 0)["pid"], 7);
}

}  // namespace
}  // namespace weir::agent
