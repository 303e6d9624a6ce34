#pragma once
// One client's view of a Table: which service a name means, which rules hold for it, and what a destination comes to.
// All lookups are pure functions; results point into the table.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "routing/client.h"
#include "routing/table.h"

namespace weir::routing {

// ---------------------------------------------------------------- services

/// The service that `name` means to the client: FQDN (a trailing dot is allowed), svc.ns.svc, svc.ns, the bare name for
/// clients of its namespace, an address, or a ServiceEntry's host, wildcards too. Any case, with or without ":port".
/// Null: unknown, or not exported to the client. Of several namespaces' services of one host: the client's own, else
/// Kubernetes' own, else the oldest.
const Service* find_service(const Table& table, const Client& client, std::string_view name);
/// What the Host of a request to `dialled` (may be null) means. A process of the node itself has no namespace to
/// complete short names in: by one it means the service that it has dialled, or none.
const Service* find_service_by_authority(const Table& table, const Client& client, std::string_view authority,
                                         const Service* dialled);
/// By fully qualified host, as destinations name it: no short forms, no addresses.
const Service* find_service_by_host(const Table& table, const Client& client, std::string_view host);
/// By dialled address; of several, the one with that port.
const Service* find_service_by_address(const Table& table, const Client& client, const IpAddress& address,
                                       uint16_t port);

// ---------------------------------------------------------------- rules

/// A rule as far as it can apply to this client and port. `match` holds the entries that can, up to the first that
/// takes every request; empty where the rule has none as written: it takes every request.
struct AppliedHttpRule {
  const HttpRule* rule = nullptr;
  std::vector<const HttpMatch*> match;
  bool takes_all = false;  // nothing of the request decides whether it is taken
  bool operator==(const AppliedHttpRule&) const = default;
};

/// What decides HTTP requests for one host on one port.
struct HttpRules {
  const RuleSet* decides = nullptr;  // null: none applies, the service's default route holds
  /// In order, up to the first that takes every request.
  std::vector<AppliedHttpRule> rules;
};

struct AppliedL4Rule {
  const RuleSet* set = nullptr;
  const L4Rule* rule = nullptr;
  std::vector<const L4Match*> match;  // empty: every connection
};

/// All rule sets that name `host` (fully qualified, lower case), are bound to the mesh and exported to the client, of
/// the most specific host that has any. Those for the client's namespace alone come first, then those for some
/// namespaces, then those for all; oldest first among these (istio push_context.go VirtualServicesForGateway).
std::vector<const RuleSet*> find_rule_sets(const Table& table, const Client& client, std::string_view host);
/// For a mesh client (not is_gateway). Static conditions only: port, source labels, source namespace, gateways
/// (istio-facts 1). The first rule set with any applicable http rule wins alone (istio-facts 15).
HttpRules find_http_rules(const Table& table, const Client& client, std::string_view host, uint16_t port);
/// Of all rule sets that name the host, by a wildcard too, in order. `tls` false: tcp[].
std::vector<AppliedL4Rule> find_l4_rules(const Table& table, const Client& client, std::string_view host, uint16_t port,
                                         bool tls);
/// A rule set's host that no service defines, named by a request on port 80 (istio-facts 14): the full host, lower
/// case, that its rules are under; empty: none.
std::string find_host_without_service(const Table& table, const Client& client, std::string_view name, uint16_t port);
/// The rules of `set` that can apply, up to the first that takes every request. `where`: kMesh or a gateway's name.
std::vector<AppliedHttpRule> applied_rules(const RuleSet& set, const Client& client, std::string_view where,
                                           uint16_t port);
/// In the order of find_rule_sets(); for the exported ones of `sets` only.
void sort_for(const Client& client, std::vector<const RuleSet*>& sets);

// ---------------------------------------------------------------- destinations

/// What a destination comes to for one client.
struct ResolvedDestination {
  std::string host;     // fully qualified; of an ExternalName's, what that names
  std::string alias;    // the ExternalName that was written; empty: none
  uint16_t port = 0;    // of the service
  std::string subset;   // empty: none
  bool exists = false;  // false: unknown host, port or subset: its share is refused
  uint16_t refused_status = 503;
  std::string
      problem;  // why not, or why nobody can serve: "subset v9 of reviews.default.svc.cluster.local is not defined"
  bool by_endpoints = false;  // see RuleDestination
  const Service* service = nullptr;
  const ServicePort* service_port = nullptr;
  const DestinationRule* destination_rule = nullptr;
  const DestinationRule::Subset* subset_rule = nullptr;
  /// Of the subset, healthy or not.
  std::vector<const Endpoint*> endpoints;
  [[nodiscard]] bool has_healthy() const;
};

/// By what a destination without a port is understood.
enum class PortMeaning {
  /// The only port of its service, else the dialled one (istio-facts 21): TCP and TLS rules, gateways.
  kOnlyElseDialled,
  /// The dialled one, also where its service has one other port only: HTTP rules in the mesh (istiod looks for it among
  /// the services that have the dialled port). Measured: testdata-rules, regex.extsvc.com.
  kDialled,
};
ResolvedDestination resolve_destination(const Table& table, const Client& client, const RuleDestination& destination,
                                        uint16_t dialled_port, PortMeaning meaning = PortMeaning::kOnlyElseDialled);
/// The service itself with all its endpoints, as the default route has it.
ResolvedDestination resolve_service(const Table& table, const Client& client, const Service& service, uint16_t port);

/// Client's namespace, then the service's, then the root namespace; the first that has any rule for the host, wildcards
/// too, decides (istio-facts 27). Null: none.
const DestinationRule* find_destination_rule(const Table& table, const Client& client, const Service& service);

/// What holds at a port: subset's port level, subset, rule's port level, rule, block by block (semantics 1.4). Null
/// blocks: default.
struct EffectivePolicy {
  const config::LoadBalancer* load_balancer = nullptr;
  const config::ConnectionPool* connection_pool = nullptr;
  const config::OutlierDetection* outlier_detection = nullptr;
  const config::ClientTls* tls = nullptr;
};
EffectivePolicy effective_policy(const ResolvedDestination& destination);

/// Whoever was dialled gets it, whatever the endpoints are: headless services, resolution NONE (istio-facts 23), and
/// loadBalancer PASSTHROUGH. Not at a gateway, where what was dialled is the gateway: there the endpoints have it, as
/// in Istio.
bool goes_to_dialled(const ResolvedDestination& destination, const Client& client);
/// The part of it that the service alone decides.
bool is_for_dialled(const ResolvedDestination& destination);

/// The pod at an address, as a client. Unknown address: a client without namespace and labels.
Client client_at(const Table& table, const IpAddress& address);
/// Pod "namespace/name"; absent: no such pod.
std::optional<Client> client_of_pod(const Table& table, std::string_view namespace_, std::string_view pod);

}  // namespace weir::routing
