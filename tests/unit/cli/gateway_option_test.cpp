#include "cli/gateway_option.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

std::string read(const char* text) {
  const auto gateway = read_gateway(text);
  if (!gateway) return "error: " + gateway.error().message;
  std::string result = gateway->namespace_;
  for (const auto& [label, value] : gateway->labels) result += " " + label + "=" + value;
  return result;
}

TEST(GatewayOption, NamesOfTheGatewayApi) {
  EXPECT_EQ(read("web"), "default gateway.networking.k8s.io/gateway-name=web");
  EXPECT_EQ(read("edge/web.v2"), "edge gateway.networking.k8s.io/gateway-name=web.v2");
}

TEST(GatewayOption, LabelsThatIstiosGatewaysSelect) {
  EXPECT_EQ(read("istio=ingressgateway"), "istio-system istio=ingressgateway");
  EXPECT_EQ(read("edge/app=gateway,istio=edge"), "edge app=gateway istio=edge");
  EXPECT_EQ(read("gateway.networking.k8s.io/gateway-name=gw"), "istio-system gateway.networking.k8s.io/gateway-name=gw")
      << "the label has a prefix";
  EXPECT_EQ(read("edge/example.com/app=x"), "edge example.com/app=x");
}

TEST(GatewayOption, AnythingElseIsRefused) {
  for (const char* text : {"", "/", "/web", "edge/", "a/b/c", "a,b", "=x", "a=1,=2", "a=1,b", "a=1,"})
    EXPECT_TRUE(read(text).starts_with("error: ")) << text;
  EXPECT_EQ(read("a=1,b"), "error: \"a=1,b\": \"b\" is not LABEL=VALUE");
}

}  // namespace
}  // namespace weir::cli
