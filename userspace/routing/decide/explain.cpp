#include "routing/decide/explain.h"

#include <algorithm>
#include <array>

#include "routing/decide/explain_internal.h"
#include "routing/hosts.h"
#include "routing/plan/outcome.h"
#include "routing/plan/service.h"
#include "routing/rule/path.h"
#include "routing/rule/retry_policy.h"

namespace weir::routing {

std::string_view to_string(Action action) {
  switch (action) {
    case Action::kSplit:
      return "split";
    case Action::kRedirect:
      return "redirect";
    case Action::kDirectResponse:
      return "direct_response";
    case Action::kAbort:
      return "abort";
    case Action::kNoRoute:
      return "no_route";
    case Action::kDefault:
      break;
  }
  return "default";
}

Decision explain(const Table& table, const Client& client, const Request& request) {
  explaining::Inquiry inquiry(table, client, request);
  const bool tls = request.sni.has_value() || request.scheme == "https";
  if (client.is_gateway) {
    explaining::explain_gateway(inquiry);
  } else if (request.is_http && !tls) {
    explaining::explain_http(inquiry);
  } else {
    explaining::explain_connection(inquiry);
  }
  return std::move(inquiry.decision);
}

namespace explaining {
namespace {

// What Envoy's and llhttp's parsers take; anything else, also in lower case, is 400 (istio-facts 13).
constexpr std::array<std::string_view, 34> kMethods = {
    "ACL",      "BIND",      "CHECKOUT",   "COPY",       "DELETE", "GET",    "HEAD",       "LINK",    "LOCK",
    "M-SEARCH", "MERGE",     "MKACTIVITY", "MKCALENDAR", "MKCOL",  "MOVE",   "NOTIFY",     "OPTIONS", "PATCH",
    "POST",     "PROPFIND",  "PROPPATCH",  "PURGE",      "PUT",    "QUERY",  "REBIND",     "REPORT",  "SEARCH",
    "SOURCE",   "SUBSCRIBE", "TRACE",      "UNBIND",     "UNLINK", "UNLOCK", "UNSUBSCRIBE"};

/// Stands for the id that every request has by the time it is matched.
constexpr std::string_view kSomeRequestId = "00000000-0000-4000-8000-000000000000";

bool has_bad_bytes(std::string_view target) {
  return std::ranges::any_of(target, [](unsigned char c) { return c <= ' ' || c >= 0x7f; });
}

/// Splits "http://host/path" (RFC 9112 3.2.2); the host in it stands in place of the Host header (istio-facts 17).
std::string_view take_absolute_form(std::string_view target, std::string& authority, std::string_view& scheme) {
  constexpr std::string_view kPrefix = "http://";
  if (!starts_with_ignoring_case(target, kPrefix)) return target;
  scheme = "http";
  target.remove_prefix(kPrefix.size());
  const size_t end = std::min(target.find_first_of("/?"), target.size());
  authority = target.substr(0, end);
  return target.substr(end);
}

bool refuse(Inquiry& inquiry, int status, std::string why) {
  inquiry.decision.action = Action::kNoRoute;
  inquiry.decision.status = status;
  inquiry.step("answered " + std::to_string(status) + " before any rule: " + why);
  inquiry.decision.reason = std::move(why);
  return false;
}

struct Refusal {
  int status = 0;
  std::string why;
};

/// Why no server takes the request; status 0: it is well-formed.
Refusal fault_of(const Request& request) {
  if (!request.host) return {400, "the request has no Host header"};
  if (request.host->empty()) return {400, "an empty Host names no host"};
  if (request.method == "CONNECT" || request.method == "TRACE") return {405, request.method + " is refused"};
  if (std::ranges::find(kMethods, request.method) == kMethods.end())
    return {400, "unknown method \"" + request.method + "\""};
  if (has_bad_bytes(request.path)) return {400, "the path holds a space, a control character or a byte beyond ASCII"};
  if (request.path.find('#') != std::string::npos)
    return {400, "the path holds a '#', which is no part of a request target (RFC 9112 section 3.2)"};
  if (starts_with_ignoring_case(request.path, "https://")) return {400, "the path is of another scheme than http"};
  return {};
}

}  // namespace

Inquiry::Inquiry(const Table& table_, const Client& client_, const Request& request_)
    : table(table_), client(client_), request(request_) {
  decision.port = request.port;
  rule_port = request.port;
}

bool read_request(Inquiry& inquiry) {
  const Request& request = inquiry.request;
  if (Refusal refusal = fault_of(request); refusal.status != 0)
    return refuse(inquiry, refusal.status, std::move(refusal.why));
  inquiry.authority = *request.host;
  std::string_view scheme = request.scheme == "https" ? "https" : "http";
  std::string_view target = take_absolute_form(request.path, inquiry.authority, scheme);
  for (const auto& [name, value] : request.headers) {
    // A gateway is the edge: it does not believe the client's.
    if (inquiry.client.is_gateway &&
        (equal_ignoring_case(name, "x-forwarded-proto") || starts_with_ignoring_case(name, "x-envoy-")))
      continue;
    inquiry.fields.push_back({name, value});
  }
  if (!find_header(inquiry.fields, "x-request-id")) inquiry.fields.push_back({"x-request-id", kSomeRequestId});

  const HeaderField* forwarded = find_header(inquiry.fields, "x-forwarded-proto");
  if (forwarded != nullptr) scheme = effective_scheme(forwarded->value, scheme == "https");
  inquiry.view = RequestView{request.method, scheme, inquiry.authority, {}, {}, {}, inquiry.fields};

  if (target.empty()) target = "/";
  std::string with_slash;
  if (target.front() == '?') target = with_slash = "/" + std::string(target);
  if (target == "*" && request.method == "OPTIONS") return refuse(inquiry, 404, "OPTIONS * names no resource to route");
  if (target.front() != '/') return refuse(inquiry, 400, "the path does not begin with a slash");
  std::string buffer;
  const auto normalised = normalise_target(target, inquiry.table.mesh.path_normalization, buffer);
  if (!normalised) return refuse(inquiry, 400, "the path holds an escaped NUL (%00)");
  inquiry.target_buffer = std::string(*normalised);
  inquiry.view.set_target(inquiry.target_buffer);
  if (inquiry.target_buffer != request.path)
    inquiry.step("path \"" + request.path + "\" is normalised to \"" + inquiry.target_buffer + "\"");
  return true;
}

std::string place(const Origin& origin) {
  return origin.file.empty() ? std::string() : " (" + origin.place() + ")";
}

std::string set_name(const RuleSet& set) {
  return set.origin.kind + " " + set.namespace_ + "/" + set.name + place(set.origin);
}

std::string rule_name(const Origin& origin) {
  std::string text = "rule " + std::to_string(origin.index);
  if (!origin.route.empty()) text += " \"" + origin.route + "\"";
  return text + place(origin);
}

Dialled find_dialled(const Inquiry& inquiry) {
  constexpr std::string_view kAddress = "ip:";
  const std::string host = inquiry.request.host.value_or("");
  std::string_view name = inquiry.request.dial;
  if (name.empty()) name = without_port(host);
  if (name.starts_with(kAddress)) name.remove_prefix(kAddress.size());
  Dialled dialled;
  dialled.address = IpAddress::parse(name);
  if (dialled.address) {
    dialled.service = find_service_by_address(inquiry.table, inquiry.client, *dialled.address, inquiry.request.port);
    return dialled;
  }
  dialled.service = find_service(inquiry.table, inquiry.client, name);
  if (dialled.service && !dialled.service->addresses.empty()) dialled.address = dialled.service->addresses.front();
  return dialled;
}

namespace {

/// The plan knows the clients of this node; of another one, and where it says what holds for some only, the rules are
/// asked what holds for this one.
void set_path_for_client(Inquiry& inquiry, const Service& service, uint16_t number) {
  Decision& decision = inquiry.decision;
  const ServicePort* port = service.find_port(number);
  const bool for_some = decision.reason.ends_with(kForSomeClients);
  if (port == nullptr || service.addresses.empty() || inquiry.client.is_gateway) return;
  if (decision.path != Path::kNone && !for_some) return;
  const Outcome own = find_outcome(inquiry.table, inquiry.client, service, *port, service.addresses.front());
  if (own.kind == Outcome::Kind::kSplit) {
    decision.path = own.path;
    decision.reason = own.reason + (for_some ? " (for this client)" : " (for clients like this one)");
  } else if (for_some) {
    decision.path = Path::kNone;
    decision.reason = "rules of this service hold for other clients only: for this one it is left alone";
  }
}

}  // namespace

void set_service(Inquiry& inquiry, const Service& service, uint16_t port) {
  Decision& decision = inquiry.decision;
  decision.service = service.host;
  decision.port = port;
  decision.path = Path::kNone;
  decision.reason = "no rule names this service: it is left alone";
  inquiry.step("service " + service.host + " port " + std::to_string(port) + place(service.origin));
  if (!inquiry.table.plan) return;
  for (const auto& planned : inquiry.table.plan->services) {
    if (planned->service != service.host || planned->port != port) continue;
    if (!planned->namespace_.empty() && planned->namespace_ != service.namespace_) continue;
    decision.path = planned->path;
    decision.reason = planned->reason;
  }
  set_path_for_client(inquiry, service, port);
}

void pass_through(Inquiry& inquiry, const std::string& why, bool http) {
  Decision& decision = inquiry.decision;
  if (inquiry.table.mesh.outbound_traffic_policy == config::MeshConfig::OutboundPolicy::kRegistryOnly) {
    decision.action = Action::kNoRoute;
    if (http) decision.status = 502;
    decision.reason = why + "; outboundTrafficPolicy REGISTRY_ONLY refuses it";
  } else {
    decision.action = Action::kDefault;
    decision.reason = why + ": it goes to the dialled address, untouched";
  }
  inquiry.step(decision.reason);
}

namespace {

/// First service, in no particular order, that satisfies `wanted` and is visible to the client.
template <class Wanted>
const Service* find_any_service(const Inquiry& inquiry, Wanted wanted) {
  const Service* found = nullptr;
  inquiry.table.services.for_each([&](std::string_view, const std::shared_ptr<const HostServices>& host) {
    for (const ServicePtr& service : host->services) {
      if (found == nullptr && service->export_to.visible_to(inquiry.client.namespace_) && wanted(*service))
        found = service.get();
    }
  });
  return found;
}

/// Whether some service speaks HTTP on the port, so that Istio's sidecar listens there for any address.
bool has_http_listener(const Inquiry& inquiry, uint16_t number) {
  return find_any_service(inquiry, [&](const Service& service) { return service.speaks_http(number); }) != nullptr;
}

/// Rules for a host that no service defines (istio-facts 14).
void decide_without_service(Inquiry& inquiry, const HostChoice& choice) {
  const VirtualHost host = virtual_host(inquiry.table, inquiry.client, choice, inquiry.rule_port);
  inquiry.decision.service = choice.host;
  inquiry.decision.reason = "no service defines the host; its VirtualService holds on port 80 only";
  inquiry.step("host " + choice.host + ": " + set_name(*host.decides) + "; no service defines it");
  decide_by_rules(inquiry, host);
}

}  // namespace

void explain_http(Inquiry& inquiry) {
  const uint16_t port = inquiry.request.port;
  const Dialled dialled = find_dialled(inquiry);
  const ServicePort* dialled_port = dialled.service ? dialled.service->find_port(port) : nullptr;
  if (dialled_port != nullptr && !is_http(dialled_port->protocol)) {
    if (dialled_port->protocol != Protocol::kAuto) return explain_connection(inquiry);
    // The bytes decide (istio-facts 41), and the Host header does not.
    const bool has_rules =
        find_http_rules(inquiry.table, inquiry.client, dialled.service->host, port).decides != nullptr;
    if (!has_rules && !find_l4_rules(inquiry.table, inquiry.client, dialled.service->host, port, false).empty()) {
      return explain_connection(inquiry);
    }
  } else if (!has_http_listener(inquiry, port)) {
    return pass_through(inquiry, "no service speaks HTTP on port " + std::to_string(port), false);
  }
  if (!read_request(inquiry)) return;
  const HostChoice choice = choose_host(inquiry.table, inquiry.client, dialled.service, port, inquiry.authority);
  if (choice.kind == HostChoice::Kind::kService) return decide_for_service(inquiry, choice);
  if (choice.kind == HostChoice::Kind::kRulesOnly) return decide_without_service(inquiry, choice);
  pass_through(inquiry, "host \"" + inquiry.authority + "\" is unknown on port " + std::to_string(port), true);
}

void decide_for_service(Inquiry& inquiry, const HostChoice& choice) {
  set_service(inquiry, *choice.service, inquiry.request.port);
  const ServicePort* port = choice.service->find_port(inquiry.request.port);
  const bool http2 = port != nullptr && (port->protocol == Protocol::kHttp2 || port->protocol == Protocol::kGrpc);
  if (http2 && inquiry.decision.path == Path::kProxy)
    inquiry.step(
        "what follows is for HTTP/1.1; HTTP/2, which this port is for, is carried by connection to where the "
        "rule that takes every request sends it");
  const VirtualHost host = virtual_host(inquiry.table, inquiry.client, choice, inquiry.rule_port);
  const auto sets = find_rule_sets(inquiry.table, inquiry.client, choice.host);
  if (host.decides != nullptr) {
    inquiry.step(set_name(*host.decides) + " decides");
    for (const RuleSet* other : sets)
      if (other != host.decides)
        inquiry.step(set_name(*other) + " is not used: one host has one VirtualService, the oldest that applies");
    return decide_by_rules(inquiry, host);
  }
  inquiry.step(sets.empty() ? "no VirtualService holds for this client: the default route, all endpoints"
                            : "no rule of its VirtualService applies to this client and port: the default route holds");
  set_default_destination(inquiry, *choice.service, inquiry.request.port);
  inquiry.decision.retries = Decision::Retries{kDefaultRetries, kDefaultRetryOn};
  RequestEffect effect;
  effect.path = inquiry.view.target;
  effect.host = inquiry.authority;
  inquiry.decision.request = std::move(effect);
}

}  // namespace explaining
}  // namespace weir::routing
