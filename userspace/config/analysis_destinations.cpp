// IST0101 and IST0112: what a VirtualService sends to must exist
// (istio/istio pkg/config/analysis/analyzers/virtualservice: destinationhosts.go, destinationrules.go).

#include <algorithm>
#include <set>

#include "config/analysis.h"
#include "config/analysis_index.h"
#include "config/codes.h"
#include "config/names.h"

namespace weir::config::analysis {
namespace {

class DestinationCheck {
 public:
  DestinationCheck(const Index& index, const VirtualService& object, Diagnostics& out)
      : index_(index),
        object_(object),
        out_(out),
        seen_from_(visible_namespaces(object.export_to, object.meta.namespace_)) {}

  void check_all() {
    for (const HttpRoute& route : object_.http) {
      for (const auto& item : route.route) check(item.destination, false);
      for (const Mirror& mirror : route.mirrors) check(mirror.destination, true);
    }
    for (const auto* routes : {&object_.tls, &object_.tcp}) {
      for (const L4Route& route : *routes) {
        for (const auto& item : route.route) check(item.destination, false);
      }
    }
  }

 private:
  void check(const Destination& destination, bool mirror) {
    if (destination.host.value.empty()) return;  // the reader said so
    const std::string full = full_host(destination.host.value, object_.meta.namespace_, index_.mesh);
    const Host* host = find(full);
    if (host == nullptr) {
      report(destination.host.at, mirror ? "mirror host" : "host", destination.host.value,
             hint_for_host(destination.host.value, full));
    } else {
      check_port(destination, *host);
    }
    if (!destination.subset.value.empty()) check_subset(destination, full, mirror, host != nullptr);
  }

  /// Seen from the VirtualService's namespace; if it is exported to others only, from at least one of these.
  [[nodiscard]] const Host* find(const std::string& full) const {
    const bool own = seen_from_.empty() ||
                     std::find(seen_from_.begin(), seen_from_.end(), object_.meta.namespace_) != seen_from_.end();
    if (own) return index_.find_host(full, object_.meta.namespace_);
    for (const std::string& space : seen_from_) {
      if (const Host* host = index_.find_host(full, space)) return host;
    }
    return nullptr;
  }

  void check_port(const Destination& destination, const Host& host) {
    const std::vector<uint16_t> ports = host.ports();
    std::string all;
    for (const uint16_t port : ports) all += (all.empty() ? "" : ", ") + std::to_string(port);
    if (!destination.port) {
      if (ports.size() < 2) return;
      out_.push_back(finding(Level::kError, code::kDestinationPortRequired, object_.meta, destination.host.at,
                             "this VirtualService routes to a service " + quote(destination.host.value) +
                                 " that exposes multiple ports [" + all +
                                 "]: specifying a port in the destination is required to disambiguate",
                             "add port: {number: ...}; without it, the port that the client dialled is used"));
      return;
    }
    if (std::find(ports.begin(), ports.end(), destination.port->value) != ports.end()) return;
    report(destination.port->at, "host:port", destination.host.value + ":" + std::to_string(destination.port->value),
           ports.empty() ? host.meta->describe() + " has no ports"
                         : host.meta->describe() + " has the ports " + all + place(*host.meta, host.meta->name_at));
  }

  /// Of a host that nobody knows, neither Service nor DestinationRule, all was said.
  void check_subset(const Destination& destination, const std::string& full, bool mirror, bool host_known) {
    std::string known;
    const DestinationRule* first = nullptr;
    const auto look_at = [&](const DestinationRule& rule) {
      if (first == nullptr) first = &rule;
      for (const Subset& subset : rule.subsets) {
        if (subset.name.value == destination.subset.value) return true;
        known += (known.empty() ? "" : ", ") + subset.name.value;
      }
      return false;
    };
    const auto rules = index_.rules_by_host.find(full);
    if (rules != index_.rules_by_host.end()) {
      for (const DestinationRule* rule : rules->second) {
        if (look_at(*rule)) return;
      }
    }
    for (const auto& [host, rule] : index_.wildcard_rules) {
      if (host_covers(host, full) && look_at(*rule)) return;
    }
    if (!host_known && first == nullptr) return;
    std::string hint = "no DestinationRule for " + full + " defines subsets";
    if (first != nullptr && !known.empty())
      hint = "subsets defined are " + known +
             place(first->meta, first->subsets.empty() ? first->meta.name_at : first->subsets.front().name.at);
    report(destination.subset.at, mirror ? "mirror+subset in destinationrule" : "host+subset in destinationrule",
           destination.host.value + "+" + destination.subset.value, hint);
  }

  void report(Position at, std::string_view what, const std::string& name, std::string hint) {
    out_.push_back(finding(Level::kError, code::kReferencedResourceNotFound, object_.meta, at,
                           "referenced " + std::string(what) + " not found: " + quote(name), std::move(hint)));
  }

  static std::string place(const Metadata& meta, Position at) {
    return " (" + meta.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ")";
  }

  /// Why `host` is not found, by the likeliest mistake.
  [[nodiscard]] std::string hint_for_host(const std::string& host, const std::string& full) const {
    if (const Host* hidden = index_.find_host_anywhere(full)) {
      return hidden->meta->describe() + " is not exported to namespace " + object_.meta.namespace_;
    }
    const std::string completed = full + ".svc." + index_.mesh.cluster_domain;
    if (host.find('.') != std::string::npos && index_.find_host_anywhere(completed) != nullptr) {
      return "a name with a dot is not completed: write " + completed;
    }
    std::set<std::string> names;
    for (const Service* service : index_.services) {
      if (host.find('.') == std::string::npos && service->meta.name == host) {
        return "a short name is looked up in the VirtualService's namespace: write " +
               full_host(host, service->meta.namespace_, index_.mesh);
      }
      if (service->meta.namespace_ == object_.meta.namespace_) names.insert(service->meta.name);
    }
    if (names.empty()) return "no Service or ServiceEntry defines " + full;
    constexpr size_t kShown = 5;
    std::string all;
    size_t shown = 0;
    for (const std::string& name : names) {
      if (shown++ == kShown)
        return "services in namespace " + object_.meta.namespace_ + " are " + all + " and " +
               std::to_string(names.size() - kShown) + " more";
      all += (all.empty() ? "" : ", ") + name;
    }
    return "services in namespace " + object_.meta.namespace_ + " are " + all;
  }

  const Index& index_;
  const VirtualService& object_;
  Diagnostics& out_;
  std::vector<std::string> seen_from_;
};

}  // namespace

void check_destinations(const Index& index, Diagnostics& out) {
  for (const VirtualService* object : index.virtual_services) DestinationCheck(index, *object, out).check_all();
}

}  // namespace weir::config::analysis
