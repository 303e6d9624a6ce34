#include <algorithm>

#include "config/read.h"
#include "config/read_gateway_api.h"

namespace weir::config::gateway_api {
namespace {

constexpr size_t kMaxListeners = 64;

/// "example.com/name": what implementations call their own things.
bool is_domain_path(std::string_view text, std::string_view marks) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || check_subdomain(text.substr(0, slash))) return false;
  const std::string_view rest = text.substr(slash + 1);
  return !rest.empty() && std::all_of(rest.begin(), rest.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

Wrong check_controller_name(std::string_view text) {
  if (text.size() <= 253 && is_domain_path(text, "/-._~%!$&'()*+,;=:")) return std::nullopt;
  return "is not a controller's name: a domain, \"/\" and a path, such as weir.dev/gateway-controller";
}

Wrong check_protocol(std::string_view text) {
  if (text.size() <= 255 && (is_host_label(text) || is_domain_path(text, ""))) return std::nullopt;
  return "is not a protocol: HTTP, HTTPS, TLS, TCP, UDP, or a domain, \"/\" and a name";
}

Wrong check_address_type(std::string_view text) {
  if (text == "IPAddress" || text == "Hostname" || text == "NamedAddress") return std::nullopt;
  if (is_domain_path(text, "/-._~%!$&'()*+,;=:")) return std::nullopt;
  return "is not a type of address: IPAddress, Hostname, NamedAddress, or a domain, \"/\" and a path";
}

LabelSelector read_selector(Fields& fields) {
  using Operator = LabelSelector::Expression::Operator;
  LabelSelector selector;
  selector.match_labels = fields.labels("matchLabels");
  fields.each(
      "matchExpressions",
      [&](Fields& item) {
        LabelSelector::Expression expression;
        expression.at = item.at();
        require(item, "key");
        expression.key = item.text("key");
        require(item, "operator");
        const auto op = item.choice<Operator>("operator", {{"In", Operator::kIn},
                                                           {"NotIn", Operator::kNotIn},
                                                           {"Exists", Operator::kExists},
                                                           {"DoesNotExist", Operator::kDoesNotExist}});
        if (op) expression.op = op->value;
        expression.values = item.plain_texts("values");
        const bool takes_values = expression.op == Operator::kIn || expression.op == Operator::kNotIn;
        if (op && takes_values == expression.values.empty()) {
          item.context.error(item.at_key("values"),
                             item.child("values").text() + (takes_values ? " is required for operator In and NotIn"
                                                                         : " must be empty for operator Exists and "
                                                                           "DoesNotExist"));
        }
        selector.match_expressions.push_back(std::move(expression));
      },
      Fields::Unknown::kRefuse);
  return selector;
}

AllowedRoutes read_namespaces(Fields& fields, AllowedRoutes::From fallback, bool with_none) {
  using From = AllowedRoutes::From;
  AllowedRoutes allowed;
  allowed.from = fallback;
  fields.map("namespaces", [&](Fields& namespaces) {
    const auto from =
        with_none
            ? namespaces.choice<From>(
                  "from",
                  {{"All", From::kAll}, {"Selector", From::kSelector}, {"Same", From::kSame}, {"None", From::kNone}})
            : namespaces.choice<From>("from",
                                      {{"All", From::kAll}, {"Selector", From::kSelector}, {"Same", From::kSame}});
    if (from) allowed.from = from->value;
    namespaces.map("selector", [&](Fields& selector) { allowed.selector = read_selector(selector); });
  });
  return allowed;
}

AllowedRoutes::RouteKind read_route_kind(Fields& fields) {
  AllowedRoutes::RouteKind kind;
  kind.at = fields.at();
  if (fields.present("group")) {
    const auto group = fields.located("group");
    if (!group.value.empty())
      fields.context.check(group.at, "group " + quote(group.value), check_subdomain(group.value));
    kind.group = group.value;
  }
  require(fields, "kind");
  kind.kind = fields.text("kind");
  return kind;
}

AllowedRoutes read_allowed_routes(Fields& fields) {
  AllowedRoutes allowed;
  fields.map("allowedRoutes", [&](Fields& routes) {
    allowed = read_namespaces(routes, AllowedRoutes::From::kSame, false);
    check_size(routes, "kinds", 0, 8);
    routes.each("kinds", [&](Fields& item) { allowed.kinds.push_back(read_route_kind(item)); });
  });
  return allowed;
}

ListenerTls read_listener_tls(Fields& fields) {
  using Mode = ListenerTls::Mode;
  ListenerTls tls;
  tls.at = fields.at();
  const auto mode = fields.choice<Mode>("mode", {{"Terminate", Mode::kTerminate}, {"Passthrough", Mode::kPassthrough}});
  if (mode) tls.mode = mode->value;
  check_size(fields, "certificateRefs", 0, 64);
  fields.each("certificateRefs",
              [&](Fields& item) { tls.certificate_refs.push_back(read_reference(item, "", "Secret")); });
  tls.options = read_options(fields, "options", 16, 4096);
  const bool ends_tls = mode ? mode->value == Mode::kTerminate : !fields.present("mode");
  if (ends_tls && is_absent_or_empty(fields, "certificateRefs") && tls.options.empty()) {
    fields.context.error(fields.at(), "certificateRefs or options must be specified when mode is Terminate",
                         "certificateRefs: [{name: SECRET}]");
  }
  return tls;
}

void check_listener(Fields& fields, const Listener& listener) {
  const std::string& protocol = listener.protocol.value;
  const bool plain = protocol == "HTTP" || protocol == "TCP" || protocol == "UDP";
  Context& context = fields.context;
  if (plain && listener.tls) {
    context.error(listener.tls->at, "tls must not be specified for protocol " + protocol, "use protocol HTTPS or TLS");
  }
  if (protocol == "HTTPS" && listener.tls && listener.tls->mode != ListenerTls::Mode::kTerminate) {
    context.error(listener.tls->at, "tls mode must be Terminate for protocol HTTPS", "Passthrough is of protocol TLS");
  }
  if (protocol == "TLS" && !listener.tls && fields.find("tls") == nullptr) {
    context.error(fields.at(), "tls mode must be set for protocol TLS", "tls: {mode: Passthrough}");
  }
  if (protocol == "HTTPS" && fields.find("tls") == nullptr) {
    context.warn(fields.at(), code::kSchemaWarning, "an HTTPS listener without tls has no certificate",
                 "tls: {certificateRefs: [{name: SECRET}]}");
  }
  if ((protocol == "TCP" || protocol == "UDP") && !listener.hostname.value.empty()) {
    context.error(listener.hostname.at, "hostname must not be specified for protocol " + protocol);
  }
}

Listener read_listener(Fields& fields) {
  Listener listener;
  listener.at = fields.at();
  if (require(fields, "name")) listener.name = read_checked(fields, "name", check_subdomain);
  listener.hostname = read_checked(fields, "hostname", check_hostname);
  if (const auto port = fields.port("port")) {
    listener.port = *port;
  } else if (!fields.present("port")) {
    fields.context.error(fields.at(), fields.child("port").text() + " is required");
  }
  if (require(fields, "protocol")) listener.protocol = read_checked(fields, "protocol", check_protocol);
  fields.map("tls", [&](Fields& tls) { listener.tls = read_listener_tls(tls); });
  listener.allowed_routes = read_allowed_routes(fields);
  check_listener(fields, listener);
  return listener;
}

void check_unique(Context& context, const std::vector<Listener>& listeners) {
  for (size_t i = 0; i < listeners.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const Listener& a = listeners[i];
      const Listener& b = listeners[j];
      if (!a.name.value.empty() && a.name.value == b.name.value) {
        context.error(a.name.at, "listener name " + quote(a.name.value) + " must be unique within the Gateway",
                      "rename one of the two");
      } else if (a.port.value != 0 && a.port.value == b.port.value && a.protocol.value == b.protocol.value &&
                 a.hostname.value == b.hostname.value) {
        context.error(a.at, "combination of port, protocol and hostname must be unique for each listener",
                      "listener " + quote(b.name.value) + " has the same");
      }
    }
  }
}

FrontendValidation read_validation(Fields& fields) {
  using Mode = FrontendValidation::Mode;
  FrontendValidation validation;
  const auto mode = fields.choice<Mode>(
      "mode", {{"AllowValidOnly", Mode::kAllowValidOnly}, {"AllowInsecureFallback", Mode::kAllowInsecureFallback}});
  if (mode) validation.mode = mode->value;
  check_size(fields, "caCertificateRefs", 1, 16);
  fields.each("caCertificateRefs",
              [&](Fields& item) { validation.ca_certificate_refs.push_back(read_reference(item, nullptr, nullptr)); });
  return validation;
}

std::optional<FrontendValidation> read_validation_field(Fields& fields) {
  std::optional<FrontendValidation> validation;
  fields.map("validation", [&](Fields& inner) { validation = read_validation(inner); });
  return validation;
}

void read_frontend(Fields& fields, Gateway& object) {
  require(fields, "default");
  fields.map("default", [&](Fields& inner) { object.frontend_validation = read_validation_field(inner); });
  check_size(fields, "perPort", 0, 64);
  fields.each("perPort", [&](Fields& item) {
    PortFrontendTls per_port;
    per_port.at = item.at();
    require(item, "port");
    if (const auto port = item.port("port")) per_port.port = port->value;
    require(item, "tls");
    item.map("tls", [&](Fields& tls) { per_port.validation = read_validation_field(tls); });
    for (const PortFrontendTls& other : object.frontend_per_port) {
      if (per_port.port == 0 || other.port != per_port.port) continue;
      item.context.error(item.at_key("port"), "port for TLS configuration must be unique within the Gateway");
    }
    object.frontend_per_port.push_back(std::move(per_port));
  });
}

void read_infrastructure(Fields& fields, Gateway::Infrastructure& infrastructure) {
  infrastructure.at = fields.at();
  infrastructure.labels = read_options(fields, "labels", 8, 63);
  infrastructure.annotations = read_options(fields, "annotations", 16, 4096);
  for (const auto& [key, value] : infrastructure.labels) {
    fields.context.check(fields.at_key("labels"), "label " + quote(key), check_label(key, value));
  }
  for (const auto& [key, value] : infrastructure.annotations) {
    fields.context.check(fields.at_key("annotations"), "annotation " + quote(key), check_label(key, ""));
  }
  fields.map("parametersRef",
             [&](Fields& inner) { infrastructure.parameters_ref = read_reference(inner, nullptr, nullptr); });
}

void read_addresses(Fields& fields, Gateway& object) {
  check_size(fields, "addresses", 0, 16);
  fields.each("addresses", [&](Fields& item) {
    Gateway::Address address;
    address.at = item.at();
    const auto type = read_checked(item, "type", check_address_type);
    if (!type.value.empty()) address.type = type.value;
    const auto value = item.located("value");
    address.value = value.value;
    if (address.type == "Hostname" && !value.value.empty()) {
      item.context.check(value.at, "address " + quote(value.value), check_hostname(value.value));
    } else if (address.type == "IPAddress" && !value.value.empty() && !is_ip(value.value)) {
      item.context.error(value.at, "address " + quote(value.value) + " is not an IP address");
    }
    for (const Gateway::Address& other : object.addresses) {
      if (address.value.empty() || other.type != address.type || other.value != address.value) continue;
      report_twice(item.context, value.at, "address", value.value);
    }
    object.addresses.push_back(std::move(address));
  });
}

}  // namespace

Labels read_options(Fields& fields, std::string_view key, size_t most, size_t longest) {
  Labels options = fields.labels(key);
  if (options.size() > most) {
    fields.context.error(fields.at_key(key), fields.child(key).text() + " has " + std::to_string(options.size()) +
                                                 " entries, at most " + std::to_string(most) + " are allowed");
  }
  fields.members(key, [&](const std::string& name, Position, const Node& value) {
    if (value.is_scalar() && value.text.size() > longest) {
      fields.context.error(value.at, fields.child(key).text() + "." + name + " is longer than " +
                                         std::to_string(longest) + " characters");
    }
  });
  return options;
}

std::vector<Listener> read_listeners(Fields& fields) {
  std::vector<Listener> listeners;
  check_size(fields, "listeners", 1, kMaxListeners);
  fields.each("listeners", [&](Fields& item) { listeners.push_back(read_listener(item)); });
  check_unique(fields.context, listeners);
  return listeners;
}

void read_gateway_class(Fields& spec, GatewayClass& object) {
  if (require(spec, "controllerName"))
    object.controller_name = read_checked(spec, "controllerName", check_controller_name);
  const auto description = spec.located("description");
  object.description = description.value;
  if (description.value.size() > 64)
    spec.context.error(description.at, "spec.description is longer than 64 characters");
  spec.map("parametersRef", [&](Fields& inner) { object.parameters_ref = read_reference(inner, nullptr, nullptr); });
}

void read_gateway(Fields& spec, Gateway& object) {
  if (require(spec, "gatewayClassName")) object.gateway_class_name = read_text(spec, "gatewayClassName");
  object.listeners = read_listeners(spec);
  read_addresses(spec, object);
  spec.map("infrastructure", [&](Fields& inner) { read_infrastructure(inner, object.infrastructure.emplace()); });
  spec.map("allowedListeners",
           [&](Fields& inner) { object.allowed_listeners = read_namespaces(inner, AllowedRoutes::From::kNone, true); });
  spec.map("tls", [&](Fields& tls) {
    tls.map("backend", [&](Fields& backend) {
      backend.map("clientCertificateRef",
                  [&](Fields& inner) { object.backend_client_certificate = read_reference(inner, "", "Secret"); });
    });
    tls.map("frontend", [&](Fields& frontend) { read_frontend(frontend, object); });
  });
  object.default_scope = read_scope(spec, "defaultScope");
}

void read_listener_set(Fields& spec, ListenerSet& object) {
  require(spec, "parentRef");
  spec.map("parentRef", [&](Fields& inner) { object.parent = read_parent(inner); });
  object.listeners = read_listeners(spec);
  spec.context.warn(object.meta.at, code::kListenerSet,
                    "ListenerSet is not honoured: its listeners are not added to the Gateway",
                    "write them into the Gateway");
}

}  // namespace weir::config::gateway_api
