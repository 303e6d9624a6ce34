#include "routing/build/gateways.h"

#include "routing/build/objects.h"
#include "routing/hosts.h"

namespace weir::routing {
namespace {

/// HTTPS and TLS end here in every mode but the two that pass the bytes on.
GatewayServer::Tls tls_of(const config::GatewayServer& written) {
  using Tls = config::GatewayServer::Tls;
  if (written.protocol != "HTTPS" && written.protocol != "TLS") return GatewayServer::Tls::kNone;
  const bool passes = written.tls == Tls::kPassthrough || written.tls == Tls::kAutoPassthrough;
  return passes ? GatewayServer::Tls::kPassthrough : GatewayServer::Tls::kTerminate;
}

GatewayServer compile_server(const config::GatewayServer& written) {
  GatewayServer server;
  server.port = written.port.value;
  server.protocol = written.protocol;
  server.name = written.name;
  server.bind = written.bind;
  for (const auto& host : written.hosts) server.hosts.push_back(to_lower(host.value));
  server.tls = tls_of(written);
  server.https_redirect = written.https_redirect;
  server.at = written.at;
  return server;
}

}  // namespace

std::shared_ptr<const Gateway> compile_gateway(const config::Gateway& written) {
  auto gateway = std::make_shared<Gateway>();
  gateway->namespace_ = written.meta.namespace_;
  gateway->name = written.meta.name;
  gateway->creation = written.meta.creation_timestamp;
  gateway->origin = origin_of(written.meta);
  gateway->selector = written.selector;
  for (const config::GatewayServer& server : written.servers) gateway->servers.push_back(compile_server(server));
  return gateway;
}

}  // namespace weir::routing
