// IST0101 (gateway), IST0132 and IST0109 (istio/istio pkg/config/analysis/analyzers/virtualservice: gateways.go,
// conflictingmeshgatewayhosts.go).

#include <algorithm>
#include <map>
#include <set>

#include "config/analysis.h"
#include "config/analysis_index.h"
#include "config/codes.h"
#include "config/names.h"

namespace weir::config::analysis {
namespace {

/// "namespace/name" of what `gateways: [name]` of an object in `namespace_` says.
std::string gateway_key(const std::string& name, const std::string& namespace_, const MeshConfig& mesh) {
  const size_t slash = name.find('/');
  if (slash != std::string::npos) {
    const std::string space = name.substr(0, slash);
    return (space == "." ? namespace_ : space) + name.substr(slash);
  }
  // The legacy full form: name.namespace.svc.cluster.local
  const std::string suffix = ".svc." + mesh.cluster_domain;
  if (name.ends_with(suffix)) {
    const std::string both = name.substr(0, name.size() - suffix.size());
    const size_t dot = both.find('.');
    if (dot != std::string::npos) return both.substr(dot + 1) + "/" + both.substr(0, dot);
  }
  return namespace_ + "/" + name;
}

/// Does a server host of `gateway` ("ns/host", "./host", "host") take a host of `object`?
bool shares_host(const Gateway& gateway, const VirtualService& object) {
  for (const GatewayServer& server : gateway.servers) {
    for (const auto& host : server.hosts) {
      const size_t slash = host.value.find('/');
      std::string name = host.value;
      if (slash != std::string::npos) {
        std::string space = host.value.substr(0, slash);
        if (space == ".") space = gateway.meta.namespace_;
        if (space != "*" && space != object.meta.namespace_) continue;
        name = host.value.substr(slash + 1);
      }
      for (const auto& own : object.hosts) {
        if (hosts_overlap(name, own.value)) return true;
      }
    }
  }
  return false;
}

bool in_mesh(const VirtualService& object) {
  return object.gateways.empty() || std::any_of(object.gateways.begin(), object.gateways.end(),
                                                [](const auto& name) { return name.value == "mesh"; });
}

/// One host of one VirtualService in the mesh, for one namespace that sees it ("*": all).
struct Claim {
  const VirtualService* object;
  Position at;
};
using Claims = std::map<std::pair<std::string, std::string>, std::vector<Claim>>;  // by (scope, full host)

Claims collect_claims(const Index& index) {
  Claims claims;
  for (const VirtualService* object : index.virtual_services) {
    if (!in_mesh(*object)) continue;
    auto scopes = visible_namespaces(object->export_to, object->meta.namespace_);
    if (scopes.empty()) scopes.emplace_back("*");
    for (const std::string& scope : scopes) {
      for (const auto& host : object->hosts) {
        claims[{scope, full_host(host.value, object->meta.namespace_, index.mesh)}].push_back({object, host.at});
      }
    }
  }
  return claims;
}

/// Which of them wins: the oldest, then by name, then by namespace.
const VirtualService* winner(const std::vector<Claim>& claims) {
  return std::min_element(claims.begin(), claims.end(),
                          [](const Claim& a, const Claim& b) {
                            const Metadata& x = a.object->meta;
                            const Metadata& y = b.object->meta;
                            return std::tie(x.creation_timestamp, x.name, x.namespace_) <
                                   std::tie(y.creation_timestamp, y.name, y.namespace_);
                          })
      ->object;
}

void report_conflict(const std::vector<Claim>& claims, const std::string& host,
                     std::set<const VirtualService*>& reported, Diagnostics& out) {
  std::set<std::string> names;
  for (const Claim& claim : claims) names.insert(claim.object->meta.namespace_ + "/" + claim.object->meta.name);
  if (names.size() < 2) return;
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ",") + name;
  const Metadata& first = winner(claims)->meta;
  for (const Claim& claim : claims) {
    if (!reported.insert(claim.object).second) continue;
    out.push_back(finding(Level::kError, code::kConflictingMeshHosts, claim.object->meta, claim.at,
                          "the VirtualServices " + all + " associated with mesh gateway define the same host " + host +
                              " which can lead to undefined behavior",
                          "they are not merged: for this host " + first.namespace_ + "/" + first.name +
                              " (the oldest, then by name) is used alone; put all rules into one VirtualService"));
  }
}

/// The same of a Gateway of the Gateway API: a listener without hostname takes every host.
bool shares_host(const gateway_api::Gateway& gateway, const VirtualService& object) {
  for (const gateway_api::Listener& listener : gateway.listeners) {
    if (listener.hostname.value.empty()) return true;
    for (const auto& own : object.hosts) {
      if (hosts_overlap(listener.hostname.value, own.value)) return true;
    }
  }
  return false;
}

void report_no_host(const VirtualService& object, Position at, const std::string& gateway, Diagnostics& out) {
  std::string hosts;
  for (const auto& host : object.hosts) hosts += (hosts.empty() ? "" : " ") + host.value;
  out.push_back(finding(Level::kWarning, code::kHostNotFoundInGateway, object.meta, at,
                        "one or more host [" + hosts + "] defined in VirtualService " + object.meta.namespace_ + "/" +
                            object.meta.name + " not found in Gateway " + gateway,
                        "add the host to a server of the Gateway"));
}

}  // namespace

void check_gateways_of_virtual_services(const Index& index, Diagnostics& out) {
  for (const VirtualService* object : index.virtual_services) {
    for (const auto& name : object->gateways) {
      if (name.value == "mesh" || name.value.empty() || name.value.find('~') != std::string::npos) continue;
      const std::string key = gateway_key(name.value, object->meta.namespace_, index.mesh);
      const auto gateway = index.gateway_by_name.find(key);
      const auto api_gateway = index.api_gateway_by_name.find(key);
      if (gateway == index.gateway_by_name.end() && api_gateway != index.api_gateway_by_name.end()) {
        if (!shares_host(*api_gateway->second, *object)) report_no_host(*object, name.at, key, out);
      } else if (gateway == index.gateway_by_name.end()) {
        std::string known;
        for (const Gateway* other : index.gateways)
          known += (known.empty() ? "" : ", ") + other->meta.namespace_ + "/" + other->meta.name;
        out.push_back(finding(Level::kError, code::kReferencedResourceNotFound, object->meta, name.at,
                              "referenced gateway not found: " + quote(name.value),
                              known.empty() ? "there is no Gateway" : "gateways are " + known));
      } else if (!shares_host(*gateway->second, *object)) {
        report_no_host(*object, name.at, key, out);
      }
    }
  }
}

void check_mesh_host_conflicts(const Index& index, Diagnostics& out) {
  const Claims claims = collect_claims(index);
  std::vector<const Claims::value_type*> everywhere;
  for (const auto& item : claims) {
    if (item.first.first == "*") everywhere.push_back(&item);
  }
  std::set<const VirtualService*> reported;
  for (const auto& [key, own] : claims) {
    std::vector<Claim> all = own;
    const auto& [scope, host] = key;
    if (scope != "*") {
      // An exact host beats a wildcard, so these two do not conflict; two wildcards do.
      const bool wildcard = host.starts_with('*');
      for (const auto* other : everywhere) {
        const std::string& theirs = other->first.second;
        if (theirs != host && !(wildcard && theirs.starts_with('*') && hosts_overlap(theirs, host))) continue;
        all.insert(all.end(), other->second.begin(), other->second.end());
      }
    }
    report_conflict(all, host, reported, out);
  }
}

}  // namespace weir::config::analysis
