#pragma once
// The members of every struct of the model, for code that treats them all alike (config/binary). A member that is left
// out of the list does not compile: `auto& [a, b] = object` must name them all.

#include <string_view>
#include <type_traits>

#include "config/model.h"

/// with_members(object, visit) calls `visit(members...)`, in order. member_names() is for telling layouts apart.
#define WEIR_MEMBERS(Type, ...)                                      \
  template <class Whole, class Visit>                                \
  requires std::is_same_v<std::remove_const_t<Whole>, Type>          \
  void with_members(Whole& whole_object, Visit&& visit_them) {       \
    auto& [__VA_ARGS__] = whole_object;                              \
    visit_them(__VA_ARGS__);                                         \
  }                                                                  \
  constexpr std::string_view member_names(const Type* /*by type*/) { \
    return #Type "{" #__VA_ARGS__ "}";                               \
  }

namespace weir::config {

WEIR_MEMBERS(Position, line, column)
WEIR_MEMBERS(Diagnostic, level, code, message, hint, file, at, object)
WEIR_MEMBERS(Percent, parts_per_million, at)
WEIR_MEMBERS(Metadata, kind, api_version, name, namespace_, uid, resource_version, generation, labels, annotations,
             annotations_at, creation_timestamp, file, at, name_at, fingerprint)
WEIR_MEMBERS(StringMatch, type, value, at)
WEIR_MEMBERS(HttpMatch, at, name, uri, scheme, method, authority, ignore_uri_case, headers, without_headers,
             query_params, port, source_labels, source_namespace, gateways)
WEIR_MEMBERS(Destination, at, host, subset, port)
WEIR_MEMBERS(HeaderOperations, set, add, remove)
WEIR_MEMBERS(Headers, request, response)
WEIR_MEMBERS(WeightedDestination, at, destination, weight, headers)
WEIR_MEMBERS(HttpRedirect, at, uri, authority, scheme, uri_prefix, port, derive_port, code)
WEIR_MEMBERS(DirectResponse, at, status, body)
WEIR_MEMBERS(RegexRewrite, match, rewrite)
WEIR_MEMBERS(HttpRewrite, at, uri, authority, uri_regex)
WEIR_MEMBERS(HttpRetry, at, attempts, per_try_timeout, backoff, retry_on, retry_remote_localities,
             retry_ignore_previous_hosts)
WEIR_MEMBERS(FaultDelay, at, fixed_delay, percentage)
WEIR_MEMBERS(FaultAbort, at, http_status, grpc_status, percentage)
WEIR_MEMBERS(HttpFault, delay, abort)
WEIR_MEMBERS(Mirror, at, destination, percentage)
WEIR_MEMBERS(CorsPolicy, at, allow_origins, allow_methods, allow_headers, expose_headers, max_age, allow_credentials,
             unmatched_preflights)
WEIR_MEMBERS(Delegate, at, name, namespace_)
WEIR_MEMBERS(HttpRoute, at, name, match, route, redirect, direct_response, delegate, rewrite, timeout, retries, fault,
             mirrors, mirrors_are_list, mirror_percentage, cors_policy, headers)
WEIR_MEMBERS(L4Match, at, destination_subnets, source_subnet, port, source_labels, source_namespace, gateways,
             sni_hosts)
WEIR_MEMBERS(L4Route, at, match, route)
WEIR_MEMBERS(VirtualService, meta, hosts, gateways, http, tcp, tls, export_to)
WEIR_MEMBERS(LoadBalancer::ConsistentHash::Cookie, name, path, ttl)
WEIR_MEMBERS(LoadBalancer::ConsistentHash, http_header_name, http_query_parameter_name, http_cookie, use_source_ip,
             minimum_ring_size, maglev_table_size)
WEIR_MEMBERS(LoadBalancer, at, simple, consistent_hash, has_locality_setting, warmup)
WEIR_MEMBERS(ConnectionPool::TcpKeepalive, probes, time, interval)
WEIR_MEMBERS(ConnectionPool, at, max_connections, connect_timeout, max_connection_duration, tcp_idle_timeout,
             tcp_keepalive, http1_max_pending_requests, http2_max_requests, max_requests_per_connection, max_retries,
             http_idle_timeout)
WEIR_MEMBERS(OutlierDetection, at, consecutive_5xx_errors, consecutive_gateway_errors,
             consecutive_local_origin_failures, split_external_local_origin_errors, interval, base_ejection_time,
             max_ejection_percent, min_health_percent)
WEIR_MEMBERS(ClientTls, at, mode, verifies_server, has_credential)
WEIR_MEMBERS(TrafficPolicy, at, load_balancer, connection_pool, outlier_detection, tls, port_level)
WEIR_MEMBERS(Subset, at, name, labels, traffic_policy)
WEIR_MEMBERS(DestinationRule, meta, host, subsets, traffic_policy, export_to, workload_selector)
WEIR_MEMBERS(GatewayServer, at, name, port, port_name, protocol, hosts, bind, tls, https_redirect)
WEIR_MEMBERS(Gateway, meta, selector, servers)
WEIR_MEMBERS(Workload, at, address, ports, labels, weight, locality, network, service_account)
WEIR_MEMBERS(ServiceEntryPort, at, number, name, protocol, target_port)
WEIR_MEMBERS(ServiceEntry, meta, hosts, addresses, allocated_addresses, ports, location, resolution, endpoints,
             workload_selector, export_to)
WEIR_MEMBERS(WorkloadEntry, meta, workload)
WEIR_MEMBERS(ServicePort, at, name, port, target_port, target_port_name, protocol, app_protocol, node_port)
WEIR_MEMBERS(Service, meta, type, cluster_ips, selector, ports, external_name, external_ips, load_balancer_ips,
             external_traffic_policy_local, internal_traffic_policy_local)
WEIR_MEMBERS(EndpointPort, name, port, protocol, app_protocol)
WEIR_MEMBERS(EndpointAddress, at, addresses, ready, serving, terminating, node_name, zone, hostname, pod_namespace,
             pod_name)
WEIR_MEMBERS(EndpointSlice, meta, service_name, address_type, endpoints, ports)
WEIR_MEMBERS(Endpoints::Subset, addresses, ports)
WEIR_MEMBERS(Endpoints, meta, subsets)
WEIR_MEMBERS(ContainerPort, name, port, protocol)
WEIR_MEMBERS(Pod, meta, ips, phase, node_name, ready, host_network, ports)
WEIR_MEMBERS(Namespace, meta)
WEIR_MEMBERS(MeshConfig, cluster_domain, root_namespace, outbound_traffic_policy, path_normalization)

}  // namespace weir::config

namespace weir::config::gateway_api {

WEIR_MEMBERS(ObjectReference, at, group, kind, name, namespace_)
WEIR_MEMBERS(ParentReference, at, group, kind, name, namespace_, section_name, port)
WEIR_MEMBERS(BackendReference, at, group, kind, name, namespace_, port, weight)
WEIR_MEMBERS(LabelSelector::Expression, at, key, op, values)
WEIR_MEMBERS(LabelSelector, match_labels, match_expressions)
WEIR_MEMBERS(GatewayClass, meta, controller_name, description, parameters_ref)
WEIR_MEMBERS(AllowedRoutes::RouteKind, at, group, kind)
WEIR_MEMBERS(AllowedRoutes, from, selector, kinds)
WEIR_MEMBERS(ListenerTls, at, mode, certificate_refs, options)
WEIR_MEMBERS(Listener, at, name, hostname, port, protocol, tls, allowed_routes)
WEIR_MEMBERS(FrontendValidation, mode, ca_certificate_refs)
WEIR_MEMBERS(PortFrontendTls, at, port, validation)
WEIR_MEMBERS(Gateway::Address, at, type, value)
WEIR_MEMBERS(Gateway::Infrastructure, at, labels, annotations, parameters_ref)
WEIR_MEMBERS(Gateway, meta, gateway_class_name, listeners, addresses, infrastructure, allowed_listeners,
             backend_client_certificate, frontend_validation, frontend_per_port, default_scope)
WEIR_MEMBERS(ListenerSet, meta, parent, listeners)
WEIR_MEMBERS(PathMatch, at, type, value)
WEIR_MEMBERS(ValueMatch, at, name, type, value)
WEIR_MEMBERS(HttpMatch, at, path, headers, query_params, method)
WEIR_MEMBERS(GrpcMatch::Method, at, type, service, method)
WEIR_MEMBERS(GrpcMatch, at, method, headers)
WEIR_MEMBERS(PathModifier, at, type, value)
WEIR_MEMBERS(RequestRedirect, at, scheme, hostname, path, port, status_code)
WEIR_MEMBERS(UrlRewrite, at, hostname, path)
WEIR_MEMBERS(RequestMirror, at, backend, numerator, denominator)
WEIR_MEMBERS(Cors, at, allow_origins, allow_methods, allow_headers, expose_headers, allow_credentials, max_age_seconds)
WEIR_MEMBERS(ExternalAuth, at, protocol, backend, http_path, allowed_headers, allowed_response_headers,
             forward_body_max_size)
WEIR_MEMBERS(Filter, at, type, headers, mirror, redirect, rewrite, cors, extension, external_auth)
WEIR_MEMBERS(RouteBackend, ref, filters)
WEIR_MEMBERS(Retry, at, codes, attempts, backoff)
WEIR_MEMBERS(SessionPersistence, at, type, session_name, absolute_timeout, cookie_lifetime)
WEIR_MEMBERS(HttpRule, at, name, matches, filters, backends, request_timeout, backend_request_timeout, retry,
             session_persistence)
WEIR_MEMBERS(GrpcRule, at, name, matches, filters, backends, session_persistence)
WEIR_MEMBERS(L4Rule, at, name, backends)
WEIR_MEMBERS(HttpRoute, meta, parents, hostnames, rules, use_default_gateways)
WEIR_MEMBERS(GrpcRoute, meta, parents, hostnames, rules, use_default_gateways)
WEIR_MEMBERS(L4RouteBody, parents, hostnames, rules, use_default_gateways)
WEIR_MEMBERS(TcpRoute, meta, route)
WEIR_MEMBERS(TlsRoute, meta, route)
WEIR_MEMBERS(UdpRoute, meta, route)
WEIR_MEMBERS(ReferenceGrant::From, at, group, kind, namespace_)
WEIR_MEMBERS(ReferenceGrant::To, at, group, kind, name)
WEIR_MEMBERS(ReferenceGrant, meta, from, to)
WEIR_MEMBERS(BackendTlsPolicy::Target, at, group, kind, name, section_name)
WEIR_MEMBERS(BackendTlsPolicy::SubjectAltName, at, type, value)
WEIR_MEMBERS(BackendTlsPolicy, meta, targets, hostname, ca_certificate_refs, well_known_ca_certificates,
             subject_alt_names, options)

}  // namespace weir::config::gateway_api

#undef WEIR_MEMBERS
