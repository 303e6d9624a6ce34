#include "routing/rule/rule.h"

#include <gtest/gtest.h>

namespace weir::routing {
namespace {

Client client_of(std::string namespace_, config::Labels labels = {}) {
  Client client;
  client.namespace_ = std::move(namespace_);
  client.labels = std::move(labels);
  return client;
}

// istio-facts 1: static conditions.
TEST(Selector, OfRequests) {
  Selector selector;
  EXPECT_TRUE(selector.holds_for_requests({}, kMesh, 80));
  selector.port = 80;
  EXPECT_TRUE(selector.holds_for_requests({}, kMesh, 80));
  EXPECT_FALSE(selector.holds_for_requests({}, kMesh, 81));
  selector.source_labels = {{"app", "a"}};
  selector.source_namespace = "one";
  EXPECT_TRUE(selector.holds_for_requests(client_of("one", {{"app", "a"}, {"x", "y"}}), kMesh, 80));
  EXPECT_FALSE(selector.holds_for_requests(client_of("two", {{"app", "a"}}), kMesh, 80));
  EXPECT_FALSE(selector.holds_for_requests(client_of("one", {{"app", "b"}}), kMesh, 80));
  selector.gateways = {"default/gw"};
  EXPECT_FALSE(selector.holds_for_requests(client_of("one", {{"app", "a"}}), kMesh, 80));
  EXPECT_TRUE(selector.holds_for_requests({}, "default/gw", 80)) << "gateways stand in place of who sends";
}

// The rule of http was used for tcp, too: a match with `gateways: [mesh]` held for every client.
TEST(Selector, OfConnectionsAllMustHold) {
  Selector selector;
  selector.gateways = {std::string(kMesh)};
  selector.source_labels = {{"app", "a"}};
  EXPECT_TRUE(selector.holds_for_connections(client_of("one", {{"app", "a"}}), kMesh, 80));
  EXPECT_FALSE(selector.holds_for_connections(client_of("one"), kMesh, 80));
  EXPECT_FALSE(selector.holds_for_connections(client_of("one", {{"app", "a"}}), "default/gw", 80));
}

// A gateway's tcp match with sourceLabels closed every connection.
TEST(Selector, OfConnectionsAtAGatewayNobodysLabelsCount) {
  Selector selector;
  selector.source_labels = {{"app", "a"}};
  selector.source_namespace = "elsewhere";
  EXPECT_TRUE(selector.holds_for_connections(client_of("istio-system"), "default/gw", 80));
  selector.port = 90;
  EXPECT_FALSE(selector.holds_for_connections(client_of("istio-system"), "default/gw", 80));
}

TEST(RuleDestination, AsText) {
  RuleDestination destination;
  destination.host = "web.default.svc.cluster.local";
  EXPECT_EQ(to_text(destination), "web.default.svc.cluster.local");
  destination.port = 80;
  destination.subset = "v1";
  EXPECT_EQ(to_text(destination), "web.default.svc.cluster.local:80/v1");
  destination.weight = 3;
  EXPECT_EQ(weight_sum({destination, destination}), 6U);
  EXPECT_EQ(weight_sum({}), 0U);
}

}  // namespace
}  // namespace weir::routing
