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

/// A route that can apply to this client and port. `match` holds the entries that can, up to the first that takes every
/// request; empty where the route has none as written: it takes every request.
struct ApplicableHttpRoute {
  const HttpRoute* route = nullptr;
  std::vector<const HttpMatch*> match;
  bool takes_all = false;  // nothing of the request decides whether it is taken
};

/// What decides HTTP requests for one host on one port.
struct HttpRules {
  const VirtualService* virtual_service = nullptr;  // null: none applies, the service's default route holds
  /// In order, up to the first that takes every request.
  std::vector<ApplicableHttpRoute> routes;
};

struct ApplicableL4Route {
  const VirtualService* virtual_service = nullptr;
  const L4Route* route = nullptr;
  std::vector<const L4Match*> match;  // empty: every connection
};

/// All VirtualServices that name `host` (fully qualified, lower case), are bound to the mesh and exported to the
/// client, of the most specific host that has any; oldest first.
std::vector<const VirtualService*> find_virtual_services(const Table& table, const Client& client,
                                                         std::string_view host);
/// For a mesh client (not is_gateway). Static conditions only: port, source labels, source namespace, gateways
/// (istio-facts 1). The oldest VirtualService with any applicable http route wins alone (istio-facts 15).
HttpRules find_http_rules(const Table& table, const Client& client, std::string_view host, uint16_t port);
/// Of all VirtualServices of the host, in order, up to the first without conditions. `tls` false: tcp[].
std::vector<ApplicableL4Route> find_l4_rules(const Table& table, const Client& client, std::string_view host,
                                             uint16_t port, bool tls);
/// A VirtualService host that no service defines, named by a request on port 80 (istio-facts 14): the full host, lower
/// case, that its rules are under; empty: none.
std::string find_host_without_service(const Table& table, const Client& client, std::string_view name, uint16_t port);
/// Whether a match entry tests nothing of the request, so that every request on this port takes it: prefix "/" and
/// regex ".*" too.
bool takes_every_request(const config::HttpMatch& match);

// ---------------------------------------------------------------- destinations

/// What a destination comes to for one client.
struct ResolvedDestination {
  std::string host;     // fully qualified
  uint16_t port = 0;    // of the service
  std::string subset;   // empty: none
  bool exists = false;  // false: unknown host, port or subset: its share is refused
  std::string
      problem;  // why not, or why nobody can serve: "subset v9 of reviews.default.svc.cluster.local is not defined"
  const Service* service = nullptr;
  const ServicePort* service_port = nullptr;
  const DestinationRule* destination_rule = nullptr;
  const DestinationRule::Subset* subset_rule = nullptr;
  /// Of the subset, healthy or not.
  std::vector<const Endpoint*> endpoints;
  [[nodiscard]] bool has_healthy() const;
};

/// `namespace_`: of the object that wrote the destination. `dialled_port` counts where the destination names none
/// (istio-facts 21).
ResolvedDestination resolve_destination(const Table& table, const Client& client, std::string_view namespace_,
                                        const config::Destination& destination, uint16_t dialled_port);
/// The same for an HTTP rule in the mesh: without a port it means the dialled one, also where its service has one other
/// port only (istiod looks for it among the services that have the dialled port). Measured; TCP and TLS rules and
/// gateways take the only port.
ResolvedDestination resolve_http_destination(const Table& table, const Client& client, std::string_view namespace_,
                                             const config::Destination& destination, uint16_t dialled_port);
/// The service itself with all its endpoints, as the default route has it.
ResolvedDestination resolve_service(const Table& table, const Client& client, const Service& service, uint16_t port);

/// Weight of each entry, in order: a single one has 1 whatever it says, an omitted one in a list has 0 (istio-facts
/// 22).
std::vector<uint64_t> effective_weights(const std::vector<config::WeightedDestination>& route);

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

/// The pod at an address, as a client. Unknown address: a client without namespace and labels.
Client client_at(const Table& table, const IpAddress& address);
/// Pod "namespace/name"; absent: no such pod.
std::optional<Client> client_of_pod(const Table& table, std::string_view namespace_, std::string_view pod);

}  // namespace weir::routing
