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
  if (name.find('.') == std::string::npos) {
    context.error(host.at, "host " + quote(host.value) + ": short names (non FQDN) are not allowed",
                  "write the full host name");
  } else if (name.find('*') != std::string::npos && !name.starts_with("*.")) {
    context.error(host.at, "partial wildcard " + quote(host.value) + " not allowed", "write *.example.com");
  } else if (!is_ip(name)) {
    context.check(host.at, "host " + quote(host.value), check_wildcard_domain(name));
  }
}

void read_port(Fields& server, GatewayServer& object) {
  if (!server.map("port",
                  [&](Fields& port) {
                    const bool unix = object.bind.starts_with("unix://");
                    const auto number = port.integer("number", unix ? 0 : 1, 65535);
                    if (number) object.port = {static_cast<uint16_t>(number->value), number->at};
                    if (unix && number && number->value > 0) {
                      port.context.error(number->at, "port number must be 0 for a unix domain socket");
                    }
                    if (!port.present("number") && !unix) {
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
                    const auto target = port.integer("targetPort", 0, INT32_MAX);
                    if (target && target->value > 0) {
                      port.context.error(port.at_key("targetPort"), "targetPort has no impact on Gateways",
                                         "set it on the gateway's Service");
                    }
                  }) &&
      server.find("port") == nullptr) {
    server.context.error(server.at(), server.child("port").text() + " is required");
  }
}

/// What of a server's certificates is there.
struct Certificates {
  bool certificate, key, ca, crl, name;
  size_t names, list;
  [[nodiscard]] int sources() const { return (certificate && key) + name + (names > 0) + (list > 0); }
  [[nodiscard]] bool any() const { return certificate || key || ca || crl || name || names > 0 || list > 0; }
};

void check_pair(Fields& fields, bool certificate, bool key) {
  if (!certificate || !key) {
    fields.context.error(fields.at(), "a server that ends TLS needs a certificate and its key",
                         "credentialName, or serverCertificate and privateKey");
  }
}

/// A server that ends TLS: its certificates come from one source, and the mode's needs are met.
void check_terminating(Fields& tls, const GatewayServer& server, const Certificates& has) {
  if (has.name || has.names > 0) return;  // the credential holds them all
  if (server.tls != Tls::kSimple && !has.ca) tls.context.error(tls.at(), "mutual TLS needs caCertificates");
  if (has.list > 0) {
    tls.each("tlsCertificates", [](Fields& item) {
      check_pair(item, !item.missing("serverCertificate"), !item.missing("privateKey"));
      item.ignore({"caCertificates"});
    });
  } else {
    check_pair(tls, has.certificate, has.key);
  }
  if (has.crl && server.tls == Tls::kSimple) tls.context.error(tls.at_key("caCrl"), "caCrl needs mutual TLS");
}

void check_certificates(Fields& tls, const GatewayServer& server) {
  Context& context = tls.context;
  const Certificates has{.certificate = !tls.missing("serverCertificate"),
                         .key = !tls.missing("privateKey"),
                         .ca = !tls.missing("caCertificates"),
                         .crl = !tls.missing("caCrl"),
                         .name = !tls.missing("credentialName"),
                         .names = tls.list("credentialNames").size(),
                         .list = tls.list("tlsCertificates").size()};
  if (server.tls == Tls::kIstioMutual) {
    Certificates others = has;
    others.crl = false;
    if (others.any()) context.error(tls.at(), "ISTIO_MUTUAL takes no certificates: the mesh provides them");
    return;
  }
  const bool passes = server.tls == Tls::kPassthrough || server.tls == Tls::kAutoPassthrough;
  if (passes && has.any()) {
    context.warn(tls.at(), code::kSchemaWarning, "certificates have no effect where TLS passes through");
  }
  if (has.sources() > 1) {
    context.error(tls.at(), "certificates come from several sources",
                  "keep one of files, credentialName, credentialNames, tlsCertificates");
  }
  if (!passes) check_terminating(tls, server, has);
}

/// Which servers may have `tls` at all.
void check_protocol(Fields& tls, const GatewayServer& server) {
  if (server.protocol.empty()) return;
  const bool http = is_http_protocol(server.protocol);
  const bool passes = server.tls == Tls::kPassthrough || server.tls == Tls::kAutoPassthrough;
  const bool files = !tls.missing("serverCertificate") || !tls.missing("privateKey") || !tls.missing("caCertificates");
  if (!http || !passes || files) {
    return tls.context.error(tls.at(), "server cannot have TLS settings for " + server.protocol + " ports",
                             http ? "only httpsRedirect is allowed" : "use protocol HTTPS or TLS");
  }
  check_certificates(tls, server);
}

void read_tls(Fields& tls, GatewayServer& server) {
  server.https_redirect = tls.boolean("httpsRedirect");
  tls.ignore(
      {"serverCertificate", "privateKey", "caCertificates", "credentialName", "credentialNames", "tlsCertificates"});
  const auto mode = tls.choice<Tls>("mode", {{"PASSTHROUGH", Tls::kPassthrough},
                                             {"SIMPLE", Tls::kSimple},
                                             {"MUTUAL", Tls::kMutual},
                                             {"AUTO_PASSTHROUGH", Tls::kAutoPassthrough},
                                             {"ISTIO_MUTUAL", Tls::kIstioMutual},
                                             {"OPTIONAL_MUTUAL", Tls::kOptionalMutual}});
  server.tls = mode ? mode->value : Tls::kPassthrough;
  const bool encrypted = is_tls_protocol(server.protocol);
  if (encrypted) {
    check_certificates(tls, server);
  } else {
    check_protocol(tls, server);
  }
  const bool passes = server.tls == Tls::kPassthrough || server.tls == Tls::kAutoPassthrough;
  if (server.https_redirect && is_tls_protocol(server.protocol)) {
    tls.context.warn(tls.at_key("httpsRedirect"), code::kSchemaWarning,
                     "httpsRedirect has no effect: only a server of plain HTTP redirects");
  }
  for (const std::string_view key :
       {"minProtocolVersion", "maxProtocolVersion", "cipherSuites", "ecdhCurves", "alpnProtocols", "subjectAltNames",
        "verifyCertificateSpki", "verifyCertificateHash", "caCrl", "caCertCredentialName", "insecureSkipVerify"}) {
    tls.not_honoured(
        key, code::kGatewayTls,
        passes ? "TLS passes through as the client and the endpoint make it" : "Weir does not end TLS at gateways yet");
  }
  if (!encrypted) server.tls = Tls::kNone;
  if (!encrypted || passes) return;
  tls.context.warn(tls.at_key("mode"), code::kGatewayTls,
                   "this server's TLS is not honoured: Weir does not end TLS at gateways yet; the port is left alone");
}

/// An address, or a socket's path (then the port must be 0).
void read_bind(Fields& fields, GatewayServer& server) {
  const auto bind = fields.located("bind");
  server.bind = bind.value;
  if (bind.value.starts_with("unix://")) {
    if (const Wrong wrong = check_unix_path(bind.value.substr(7))) {
      return fields.context.error(bind.at, "bind " + quote(bind.value) + " " + *wrong);
    }
  } else if (!bind.value.empty() && !is_ip(bind.value)) {
    return fields.context.error(bind.at, "bind " + quote(bind.value) + " is neither an IP address nor a unix:// path");
  }
  fields.not_honoured("bind", code::kGatewayBind, "the gateway's own addresses are used");
}

GatewayServer read_server(Fields& fields) {
  GatewayServer server;
  server.at = fields.at();
  server.name = fields.text("name");
  read_bind(fields, server);
  read_port(fields, server);
  server.hosts = fields.texts("hosts");
  if (server.hosts.empty())
    fields.context.error(fields.at(), "server config must contain at least one host", "hosts: [\"*\"]");
  for (const auto& host : server.hosts) check_server_host(fields.context, host);
  const bool has_tls = fields.map("tls", [&](Fields& tls) { read_tls(tls, server); });
  if (is_tls_protocol(server.protocol) && !has_tls)
    fields.context.error(fields.at(), "server must have TLS settings for " + server.protocol + " ports");
  fields.not_honoured("defaultEndpoint", code::kGatewayBind, "unmatched connections are left alone");
  return server;
}

}  // namespace

void read_gateway(Fields& spec, Gateway& object) {
  if (object.meta.name.find('.') != std::string::npos) {
    spec.context.error(object.meta.name_at,
                       "the name of a Gateway must not hold a dot: VirtualServices cannot refer to it");
  }
  object.selector = spec.labels("selector");
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
