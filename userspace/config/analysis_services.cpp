// Findings about DestinationRules (IST0128, 0129, 0173, 0174), Services (IST0118), ServiceEntries (IST0134, 0177) and
// Gateways (IST0101, 0145, 0162). Sources: istio/istio pkg/config/analysis/analyzers, the folder of each kind.

#include <algorithm>
#include <map>
#include <set>

#include "config/analysis.h"
#include "config/analysis_index.h"
#include "config/codes.h"
#include "config/names.h"

namespace weir::config::analysis {
namespace {

std::string text_of(const Labels& labels) {
  std::string text;
  for (const auto& [key, value] : labels) text += (text.empty() ? "" : ",") + key + "=" + value;
  return text;
}

/// Does an endpoint of the Service come from a pod that has `labels`? Looked up by its slices' targetRefs.
bool any_by_target(const Index& index, const Service& service, const Labels& labels) {
  const auto slices = index.slices.find(service.meta.namespace_ + "/" + service.meta.name);
  if (slices == index.slices.end()) return false;
  const auto is_of = [&](const EndpointAddress& endpoint) {
    const auto pod = index.pod_by_name.find({endpoint.pod_namespace, endpoint.pod_name});
    return pod != index.pod_by_name.end() && has_all(pod->second->meta.labels, labels);
  };
  return std::any_of(slices->second.begin(), slices->second.end(), [&](const EndpointSlice* slice) {
    return std::any_of(slice->endpoints.begin(), slice->endpoints.end(), is_of);
  });
}

/// Is there an endpoint of `host` that has `labels`?
bool selects_any(const Index& index, const Host& host, const Labels& labels) {
  if (host.service != nullptr) {
    const std::string& space = host.service->meta.namespace_;
    if (any_by_target(index, *host.service, labels)) return true;  // slices are what traffic follows
    if (host.service->selector.empty()) return false;
    return index.pods_by_label.any(space, host.service->selector, labels) ||
           index.entries_by_label.any(space, host.service->selector, labels);
  }
  const ServiceEntry& entry = *host.entry;
  if (entry.workload_selector) {
    return index.entries_by_label.any(entry.meta.namespace_, *entry.workload_selector, labels) ||
           index.pods_by_label.any(entry.meta.namespace_, *entry.workload_selector, labels);
  }
  return std::any_of(entry.endpoints.begin(), entry.endpoints.end(),
                     [&](const Workload& endpoint) { return has_all(endpoint.labels, labels); });
}

/// Labels that Istio takes from the pod's node; without Nodes nothing can be said of them, but that no node has an
/// empty one.
bool needs_node(const Labels& labels) {
  return std::any_of(labels.begin(), labels.end(), [](const auto& label) {
    if (label.second.empty()) return false;
    return label.first.starts_with("topology.kubernetes.io/") || label.first.starts_with("topology.istio.io/") ||
           label.first == "kubernetes.io/hostname";
  });
}

void check_subsets(const Index& index, const DestinationRule& rule, const Host& host, Diagnostics& out) {
  std::vector<const Subset*> none;
  for (const Subset& subset : rule.subsets) {
    if (!needs_node(subset.labels) && !selects_any(index, host, subset.labels)) none.push_back(&subset);
  }
  if (none.empty()) return;
  if (!selects_any(index, host, {})) {  // one line, not one for each subset
    out.push_back(finding(Level::kError, code::kSubsetSelectsNoPods, rule.meta, none.front()->name.at,
                          "the subsets of this DestinationRule select no pods: " + host.meta->describe() + " has none",
                          "add the Pods (or WorkloadEntries) that it selects; until then requests get 503"));
    return;
  }
  for (const Subset* subset : none) {
    out.push_back(finding(Level::kError, code::kSubsetSelectsNoPods, rule.meta, subset->name.at,
                          "subset " + quote(subset->name.value) + " does not select any pods: no pod of " +
                              host.meta->describe() + " has " + text_of(subset->labels),
                          "its share of requests gets 503; it does not go to other subsets"));
  }
}

void check_server_certificates(const DestinationRule& rule, const TrafficPolicy& policy, Diagnostics& out) {
  const auto check = [&](const TrafficPolicy& level, const char* code, const std::string& where) {
    if (!level.tls) return;
    const bool own = level.tls->mode == ClientTls::Mode::kSimple || level.tls->mode == ClientTls::Mode::kMutual;
    const bool credential = level.tls->has_credential && !rule.workload_selector.empty();
    if (!own || level.tls->verifies_server || credential) return;
    out.push_back(
        finding(Level::kWarning, code, rule.meta, level.tls->at,
                "TLS mode is " + std::string(level.tls->mode == ClientTls::Mode::kSimple ? "SIMPLE" : "MUTUAL") +
                    " but no caCertificates are set to validate server identity for host: " + rule.host.value + where,
                "set caCertificates"));
  };
  check(policy, code::kNoServerCertificates, "");
  for (const auto& [port, level] : policy.port_level)
    check(level, code::kNoServerCertificatesPort, " at port " + std::to_string(port));
}

bool is_known_prefix(std::string_view name) {
  const std::string prefix = to_lower(name.substr(0, name.find('-')));
  if (to_lower(name).starts_with("grpc-web")) return true;
  for (const std::string_view known :
       {"http", "http2", "https", "grpc", "tls", "tcp", "udp", "mongo", "redis", "mysql", "hbone"}) {
    if (prefix == known) return true;
  }
  return false;
}

bool is_system(const Metadata& meta, const MeshConfig& mesh) {
  return meta.namespace_.starts_with("kube-") || meta.namespace_ == mesh.root_namespace ||
         meta.namespace_ == "local-path-storage";
}

/// Ports whose protocol is TCP whatever their name says (semantics 1.0).
bool is_tcp_port(uint16_t port) {
  return port == 25 || port == 53 || port == 3306 || port == 27017;
}

std::string join(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

struct EntryPort {
  const ServiceEntry* entry;
  const ServiceEntryPort* port;
};

void check_protocols(const Index& index, Diagnostics& out) {
  std::map<std::tuple<std::string, std::string, uint16_t>, std::vector<EntryPort>> ports;  // by scope, host, port
  for (const ServiceEntry* entry : index.service_entries) {
    auto scopes = visible_namespaces(entry->export_to, entry->meta.namespace_);
    if (scopes.empty()) scopes.emplace_back("*");
    for (const std::string& scope : scopes) {
      for (const auto& host : entry->hosts) {
        for (const ServiceEntryPort& port : entry->ports)
          ports[{scope, to_lower(host.value), port.number}].push_back({entry, &port});
      }
    }
  }
  std::set<const ServiceEntry*> reported;
  for (const auto& [key, own] : ports) {
    const auto& [scope, host, number] = key;
    std::vector<EntryPort> all = own;
    if (scope != "*") {
      const auto everywhere = ports.find({"*", host, number});
      if (everywhere != ports.end()) all.insert(all.end(), everywhere->second.begin(), everywhere->second.end());
    }
    std::set<std::string> protocols, names;
    for (const EntryPort& item : all) {
      protocols.insert(item.port->protocol);
      names.insert(item.entry->meta.namespace_ + "/" + item.entry->meta.name);
    }
    if (protocols.size() < 2) continue;
    for (const EntryPort& item : all) {
      if (!reported.insert(item.entry).second) continue;
      out.push_back(finding(Level::kWarning, code::kConflictingServiceEntryProtocol, item.entry->meta, item.port->at,
                            "ServiceEntries " + join(names) + " define host " + host + " port " +
                                std::to_string(number) + " with different protocols: " + join(protocols),
                            "give the port one protocol"));
    }
  }
}

/// Are the servers in each other's way: one port, one address, a host in common?
bool servers_conflict(const GatewayServer& a, const GatewayServer& b) {
  if (a.port.value == 0 || a.port.value != b.port.value || a.bind != b.bind) return false;
  return std::any_of(a.hosts.begin(), a.hosts.end(), [&](const auto& host) {
    return std::any_of(b.hosts.begin(), b.hosts.end(), [&](const auto& other) { return host.value == other.value; });
  });
}

void check_gateway_conflicts(const Index& index, Diagnostics& out) {
  std::map<uint16_t, std::vector<const Gateway*>> by_port;
  for (const Gateway* gateway : index.gateways) {
    std::set<uint16_t> numbers;
    for (const GatewayServer& server : gateway->servers) numbers.insert(server.port.value);
    for (const uint16_t number : numbers) by_port[number].push_back(gateway);
  }
  std::map<const Gateway*, std::pair<Position, std::set<std::string>>> conflicts;
  for (const auto& [number, gateways] : by_port) {
    for (const Gateway* a : gateways) {
      for (const Gateway* b : gateways) {
        if (a == b || !(has_all(a->selector, b->selector) || has_all(b->selector, a->selector))) continue;
        for (const GatewayServer& server : a->servers) {
          const bool found = std::any_of(b->servers.begin(), b->servers.end(),
                                         [&](const GatewayServer& other) { return servers_conflict(server, other); });
          if (!found || server.port.value != number) continue;
          auto& [at, names] = conflicts[a];
          if (names.empty()) at = server.port.at;
          names.insert(b->meta.namespace_ + "/" + b->meta.name);
        }
      }
    }
  }
  for (const auto& [gateway, what] : conflicts) {
    out.push_back(finding(Level::kError, code::kConflictingGateways, gateway->meta, what.first,
                          "conflict with gateways " + join(what.second) + " (workload selector " +
                              text_of(gateway->selector) + ", same port and host)",
                          "merge their servers, or give them different hosts"));
  }
}

}  // namespace

void check_destination_rules(const Index& index, Diagnostics& out) {
  for (const DestinationRule* rule : index.destination_rules) {
    if (rule->traffic_policy) check_server_certificates(*rule, *rule->traffic_policy, out);
    for (const Subset& subset : rule->subsets) {
      if (subset.traffic_policy) check_server_certificates(*rule, *subset.traffic_policy, out);
    }
    if (rule->host.value.empty()) continue;
    const std::string full = full_host(rule->host.value, rule->meta.namespace_, index.mesh);
    const Host* host = index.find_host(full, rule->meta.namespace_);
    if (host != nullptr) {
      check_subsets(index, *rule, *host, out);
    } else if (!full.starts_with('*') || !index.covers_any_host(full)) {
      out.push_back(
          finding(Level::kWarning, code::kUnknownDestinationRuleHost, rule->meta, rule->host.at,
                  "host defined in the DestinationRule does not exist: " + quote(rule->host.value),
                  "no Service or ServiceEntry that namespace " + rule->meta.namespace_ + " sees defines " + full));
    }
  }
}

static void report_external_port(const Service& service, const ServicePort& port, Diagnostics& out) {
  out.push_back(
      finding(Level::kWarning, code::kExternalNamePort, service.meta, port.at,
              "port name " + quote(port.name) + " of an ExternalName service is invalid: its protocol is unknown",
              "name it after its protocol: http, https, tls"));
}

void check_service_ports(const Index& index, Diagnostics& out) {
  for (const Service* service : index.services) {
    if (is_system(service->meta, index.mesh)) continue;
    const bool external = service->type == "ExternalName";
    for (const ServicePort& port : service->ports) {
      if (external && port.name == "tcp") {
        report_external_port(*service, port, out);
        continue;
      }
      if (port.protocol != "TCP" || !port.app_protocol.empty() || is_known_prefix(port.name) || is_tcp_port(port.port))
        continue;
      if (external) {
        report_external_port(*service, port, out);
        continue;
      }
      out.push_back(finding(
          Level::kInfo, code::kPortNameConvention, service->meta, port.at,
          "port name " + port.name + " (port: " + std::to_string(port.port) + ", targetPort: " +
              (port.target_port_name.empty() ? std::to_string(port.target_port == 0 ? port.port : port.target_port)
                                             : port.target_port_name) +
              ") doesn't follow the naming convention of Istio port",
          "name it <protocol>[-<suffix>], such as http-web or tcp-db, or set appProtocol"));
    }
  }
}

void check_service_entries(const Index& index, Diagnostics& out) {
  for (const ServiceEntry* entry : index.service_entries) {
    if (!entry->addresses.empty() || !entry->allocated_addresses.empty()) continue;
    for (const ServiceEntryPort& port : entry->ports) {
      if (!port.protocol.empty() && port.protocol != "TCP") continue;
      out.push_back(
          finding(Level::kWarning, code::kServiceEntryAddressesRequired, entry->meta, port.at,
                  "ServiceEntry addresses are required for this protocol",
                  "without addresses the entry takes port " + std::to_string(port.number) + " of every address"));
    }
  }
  check_protocols(index, out);
}

void check_gateways(const Index& index, Diagnostics& out) {
  check_gateway_conflicts(index, out);
  if (index.pods.empty()) return;  // nothing is known of the gateway's pods
  for (const Gateway* gateway : index.gateways) {
    std::set<uint16_t> ports;
    bool any = false, any_service = false;
    for (const Pod* pod : index.pods) {
      if (!has_all(pod->meta.labels, gateway->selector)) continue;
      any = true;
      for (const Service* service : index.services) {
        if (service->meta.namespace_ != pod->meta.namespace_ || service->selector.empty() ||
            !has_all(pod->meta.labels, service->selector))
          continue;
        any_service = true;
        for (const ServicePort& port : service->ports) {
          ports.insert(port.port);
          ports.insert(port.target_port);
        }
      }
    }
    // The pods of Istio's own gateways are seldom among the files.
    const bool usual = gateway->selector.contains("istio");
    if (!any && !usual && !gateway->selector.empty()) {
      out.push_back(finding(Level::kError, code::kReferencedResourceNotFound, gateway->meta, gateway->meta.name_at,
                            "referenced selector not found: " + quote(text_of(gateway->selector)),
                            "no pod has these labels"));
    }
    if (!any_service) continue;
    for (const GatewayServer& server : gateway->servers) {
      if (server.port.value == 0 || ports.contains(server.port.value)) continue;
      out.push_back(finding(Level::kWarning, code::kGatewayPortNotOnService, gateway->meta, server.port.at,
                            "the gateway is listening on port " + std::to_string(server.port.value) +
                                ", which is not defined on the Service of selector " + text_of(gateway->selector),
                            "add the port to the gateway's Service"));
    }
  }
}

}  // namespace weir::config::analysis
