#include <set>

#include "config/read.h"

namespace weir::config {
namespace {

using Tls = GatewayServer::Tls;

void check_server_host(Context& context, const Located<std::string>& host) {
  const size_t slash = host.value.find('/');
  const std::string name = slash == std::string::npos ? host.value : host.value.substr(slash + 1);
  if (slash != std::string::npos) {
    const std::string space = host.value.substr(0, slash);
    if (space != "*" && space != "." && !is_host_label(space)) {
      context.error(host.at, "namespace " + quote(space) + " of host " + quote(host.value) + " is invalid",
                    "use a namespace, \".\" or \"*\"");
    }
  }
  if (name == "*") return;
  const Wrong wrong = check_wildcard_domain(name);
  context.check(host.at, "host " + quote(host.value), wrong);
  if (!wrong && name.find('.') == std::string::npos && !name.starts_with('*')) {
    context.error(host.at, "host " + quote(host.value) + ": short names (non FQDN) are not allowed",
                  "write the full host name");
  }
}

void read_port(Fields& server, GatewayServer& object) {
  if (!server.map("port",
                  [&](Fields& port) {
                    const auto number = port.integer("number", object.bind.starts_with("unix://") ? 0 : 1, 65535);
                    if (number) object.port = {static_cast<uint16_t>(number->value), number->at};
                    if (!port.present("number") && !object.bind.starts_with("unix://")) {
                      port.context.error(port.at(), port.child("number").text() + " is required");
                    }
                    object.port_name = port.text("name");
                    if (object.port_name.empty())
                      port.context.error(port.at(), port.child("name").text() + " is required");
                    const auto protocol = port.located("protocol");
                    object.protocol = normalize_protocol(protocol.value);
                    if (object.protocol.empty()) {
                      port.context.error(protocol.at.line > 0 ? protocol.at : port.at(),
                                         "invalid protocol " + quote(protocol.value),
                                         "HTTP, HTTPS, GRPC, GRPC-WEB, HTTP2, MONGO, TCP or TLS");
                    }
                    if (port.find("targetPort") != nullptr) {
                      port.context.error(port.at_key("targetPort"), "targetPort has no impact on Gateways",
                                         "set it on the gateway's Service");
                    }
                  }) &&
      server.find("port") == nullptr) {
    server.context.error(server.at(), server.child("port").text() + " is required");
  }
}

/// Certificates come from one source, and the mode's needs are met.
void check_certificates(Fields& tls, const GatewayServer& server) {
  Context& context = tls.context;
  const bool files = !tls.text("serverCertificate").empty() || !tls.text("privateKey").empty();
  const bool both_files = !tls.text("serverCertificate").empty() && !tls.text("privateKey").empty();
  const bool ca = !tls.text("caCertificates").empty();
  const bool name = !tls.text("credentialName").empty();
  const bool names = !tls.list("credentialNames").empty();
  const bool list = !tls.list("tlsCertificates").empty();
  const int sources = files + name + names + list;
  switch (server.tls) {
    case Tls::kIstioMutual:
      if (sources > 0 || ca) context.error(tls.at(), "ISTIO_MUTUAL takes no certificates: the mesh provides them");
      return;
    case Tls::kPassthrough:
    case Tls::kAutoPassthrough:
      if (sources > 0 || ca) {
        context.warn(tls.at(), code::kSchemaWarning, "certificates have no effect where TLS passes through");
      }
      return;
    case Tls::kSimple:
    case Tls::kMutual:
    case Tls::kOptionalMutual:
      break;
    case Tls::kNone:
      return;
  }
  if (sources > 1)
    context.error(tls.at(), "certificates come from several sources",
                  "keep one of files, credentialName, credentialNames, tlsCertificates");
  if (sources == 0 || (files && !both_files)) {
    context.error(tls.at(), "a server that ends TLS needs a certificate",
                  "credentialName, or serverCertificate and privateKey");
  }
  if (server.tls != Tls::kSimple && files && !ca) context.error(tls.at(), "mutual TLS needs caCertificates");
}

void read_tls(Fields& tls, GatewayServer& server) {
  server.https_redirect = tls.boolean("httpsRedirect");
  // Numbers are those of the proto: 0 PASSTHROUGH ... 5 OPTIONAL_MUTUAL.
  const auto mode = tls.choice<Tls>("mode", {{"PASSTHROUGH", Tls::kPassthrough},
                                             {"SIMPLE", Tls::kSimple},
                                             {"MUTUAL", Tls::kMutual},
                                             {"AUTO_PASSTHROUGH", Tls::kAutoPassthrough},
                                             {"ISTIO_MUTUAL", Tls::kIstioMutual},
                                             {"OPTIONAL_MUTUAL", Tls::kOptionalMutual}});
  const bool encrypted = server.protocol == "HTTPS" || server.protocol == "TLS";
  if (!encrypted) {
    const bool http = server.protocol == "HTTP" || server.protocol == "HTTP2" || server.protocol.starts_with("GRPC");
    const bool only_redirect = tls.node().items.size() == 2 && server.https_redirect;
    if (!http || !(only_redirect || tls.empty())) {
      if (!server.protocol.empty()) {
        tls.context.error(tls.at(), "server cannot have TLS settings for " + server.protocol + " ports",
                          http ? "only httpsRedirect is allowed" : "use protocol HTTPS or TLS");
      }
    }
    return;
  }
  server.tls = mode ? mode->value : Tls::kPassthrough;
  check_certificates(tls, server);
  if (server.tls != Tls::kPassthrough && server.tls != Tls::kAutoPassthrough) {
    tls.context.warn(
        tls.at_key("mode"), code::kGatewayTls,
        "this server's TLS is not honoured: Weir does not end TLS at gateways yet; the port is left alone");
  }
}

GatewayServer read_server(Fields& fields) {
  GatewayServer server;
  server.at = fields.at();
  server.name = fields.text("name");
  const auto bind = fields.located("bind");
  server.bind = bind.value;
  if (!bind.value.empty() && !is_ip(bind.value) && !bind.value.starts_with("unix://")) {
    fields.context.error(bind.at, "bind " + quote(bind.value) + " is neither an IP address nor a unix:// path");
  } else {
    fields.not_honoured("bind", code::kGatewayBind, "the gateway's own addresses are used");
  }
  read_port(fields, server);
  server.hosts = fields.texts("hosts");
  if (server.hosts.empty())
    fields.context.error(fields.at(), "server config must contain at least one host", "hosts: [\"*\"]");
  for (const auto& host : server.hosts) check_server_host(fields.context, host);
  const bool encrypted = server.protocol == "HTTPS" || server.protocol == "TLS";
  const bool has_tls = fields.map(
      "tls", [&](Fields& tls) { read_tls(tls, server); }, Fields::Unknown::kIgnore);
  if (encrypted && !has_tls)
    fields.context.error(fields.at(), "server must have TLS settings for " + server.protocol + " ports");
  fields.not_honoured("defaultEndpoint", code::kGatewayBind, "unmatched connections are left alone");
  return server;
}

}  // namespace

void read_gateway(Fields& spec, Gateway& object) {
  object.selector = read_checked_labels(spec, "selector");
  if (object.selector.empty()) {
    spec.context.warn(spec.at(), code::kSchemaWarning, "gateway selector is not set: it applies to every gateway");
  }
  std::set<std::string> names;
  spec.each("servers", [&](Fields& item) {
    GatewayServer server = read_server(item);
    if (!server.port_name.empty() && !names.insert(server.port_name).second) {
      item.context.error(item.at_key("port"),
                         "port names in servers must be unique: duplicate name " + quote(server.port_name));
    }
    object.servers.push_back(std::move(server));
  });
  if (is_absent_or_empty(spec, "servers")) spec.context.error(spec.at(), "gateway must have at least one server");
}

}  // namespace weir::config
