#pragma once
// What the parts of explain() share: the question, taken apart once, and the answer as it grows. Not for others to
// include.

#include <string>
#include <string_view>
#include <vector>

#include "routing/decide/explain.h"
#include "routing/rule/request_view.h"
#include "routing/view/match_connection.h"
#include "routing/view/resolve.h"
#include "routing/view/virtual_host.h"

namespace weir::routing::explaining {

struct Inquiry {
  const Table& table;
  const Client& client;
  const Request& request;
  Decision decision;

  // The request as the matchers see it, from read_request().
  std::string authority, target_buffer;
  std::vector<HeaderField> fields;
  RequestView view{};
  /// The dialled port as rules mean it: at a gateway the server's.
  uint16_t rule_port = 0;

  Inquiry(const Table& table_, const Client& client_, const Request& request_);
  Inquiry(const Inquiry&) = delete;
  Inquiry& operator=(const Inquiry&) = delete;

  void step(std::string text) { decision.steps.push_back(std::move(text)); }
};

/// Fills the view. False: no HTTP/1.1 server takes the request; the decision says 400, or 404 for "OPTIONS *".
bool read_request(Inquiry& inquiry);

/// " (reviews.yaml:12:5)", or nothing where the place is unknown.
std::string place(const Origin& origin);
/// "VirtualService default/reviews (reviews.yaml:1:1)".
std::string set_name(const RuleSet& set);
/// `rule 0 "jason" (reviews.yaml:12:5)`.
std::string rule_name(const Origin& origin);
/// The service that the dialled name or address means, and the address where it is known.
struct Dialled {
  const Service* service = nullptr;
  std::optional<IpAddress> address;
};
Dialled find_dialled(const Inquiry& inquiry);
/// Takes service, port, path and its reason from the plan.
void set_service(Inquiry& inquiry, const Service& service, uint16_t port);
/// Nobody Weir knows: the connection goes where it was dialled, or, under REGISTRY_ONLY, nowhere.
void pass_through(Inquiry& inquiry, const std::string& why, bool http);

/// "12.5 %".
std::string percent(double share);
enum class Layer { kHttp, kConnection };
/// As rules of the layer mean a destination without a port.
ResolvedDestination resolve(const Inquiry& inquiry, const RuleDestination& destination, Layer layer);
/// Fills decision.destinations, and the status where nobody can serve.
void set_destinations(Inquiry& inquiry, const std::vector<RuleDestination>& destinations, Layer layer);
void set_default_destination(Inquiry& inquiry, const Service& service, uint16_t port);

/// Rules in order, the first that matches; 404 when none does.
void decide_by_rules(Inquiry& inquiry, const VirtualHost& host);
/// The rules of the service that `choice` names, for this client, or its default route.
void decide_for_service(Inquiry& inquiry, const HostChoice& choice);

void explain_http(Inquiry& inquiry);
/// A bare or TLS connection, from the mesh.
void explain_connection(Inquiry& inquiry);
void explain_gateway(Inquiry& inquiry);

void take_l4_rule(Inquiry& inquiry, const AppliedL4Rule& rule);

}  // namespace weir::routing::explaining
