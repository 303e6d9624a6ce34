#include "routing/build/gateways.h"

#include <gtest/gtest.h>

namespace weir::routing {
namespace {

using Tls = config::GatewayServer::Tls;

GatewayServer compiled(const char* protocol, Tls tls) {
  config::Gateway gateway;
  config::GatewayServer& server = gateway.servers.emplace_back();
  server.port.value = 443;
  server.protocol = protocol;
  server.tls = tls;
  server.hosts = {{"Default/Web.Example.com", {}}};
  return compile_gateway(gateway)->servers.at(0);
}

// A server of protocol TLS that ends TLS was served as if it passed the bytes on.
TEST(CompileGateway, KnowsWhichServersEndTls) {
  for (const Tls mode : {Tls::kSimple, Tls::kMutual, Tls::kOptionalMutual, Tls::kIstioMutual}) {
    EXPECT_TRUE(compiled("TLS", mode).terminates_tls());
    EXPECT_FALSE(compiled("TLS", mode).is_https());
    EXPECT_TRUE(compiled("HTTPS", mode).is_https());
  }
  for (const Tls mode : {Tls::kPassthrough, Tls::kAutoPassthrough}) {
    EXPECT_FALSE(compiled("TLS", mode).terminates_tls());
    EXPECT_FALSE(compiled("HTTPS", mode).terminates_tls());
  }
  EXPECT_TRUE(compiled("HTTP", Tls::kNone).is_plain_http());
  EXPECT_FALSE(compiled("TCP", Tls::kNone).terminates_tls());
  EXPECT_EQ(compiled("HTTP", Tls::kNone).hosts, std::vector<std::string>{"default/web.example.com"});
}

}  // namespace
}  // namespace weir::routing
