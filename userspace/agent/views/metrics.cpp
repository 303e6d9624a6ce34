#include "agent/views/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "agent/views/stat_view.h"
#include "routing/view/resolve.h"

namespace weir::agent {
namespace {

/// Envoy's, in milliseconds.
constexpr std::array kBounds = {0.5,     1.0,      5.0,      10.0,      25.0,     50.0,    100.0,
                                250.0,   500.0,    1000.0,   2500.0,    5000.0,   10000.0, 30000.0,
                                60000.0, 300000.0, 600000.0, 1800000.0, 3600000.0};

using Labels = std::vector<std::pair<std::string, std::string>>;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

class Writer {
 public:
  void family(const char* name, const char* type, const char* help) {
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void value(std::string_view name, const Labels& labels, double number) {
    if (series_ == kMaxSeries) {
      ++dropped_;
      return;
    }
    ++series_;
    out_ += name;
    const char* separator = "{";
    for (const auto& [key, text] : labels) {
      out_ += fmt::format("{}{}=\"{}\"", separator, key, escaped(text));
      separator = ",";
    }
    out_ += fmt::format("{} {}\n", labels.empty() ? "" : "}", number);
  }
  std::string finish() {
    out_ += fmt::format(
        "# HELP weir_metrics_dropped_series Series beyond {} that are left out.\n"
        "# TYPE weir_metrics_dropped_series gauge\nweir_metrics_dropped_series {}\n",
        kMaxSeries, dropped_);
    return std::move(out_);
  }

 private:
  std::string out_;
  size_t series_ = 0, dropped_ = 0;
};

std::string label_of(const routing::Endpoint& endpoint, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (const auto found = endpoint.workload->labels.find(key); found != endpoint.workload->labels.end())
      return found->second;
  return "unknown";
}

/// The Deployment's name, where the pod's labels let it be told.
std::string workload_of(const routing::Endpoint& endpoint) {
  const std::string& pod = endpoint.workload->name;
  const std::string hash = label_of(endpoint, {"pod-template-hash"});
  if (const auto at = pod.rfind("-" + hash + "-"); hash != "unknown" && at != std::string::npos)
    return pod.substr(0, at);
  const std::string app = label_of(endpoint, {"app"}), version = label_of(endpoint, {"version"});
  if (app != "unknown") return version == "unknown" ? app : app + "-" + version;
  return pod.empty() ? "unknown" : pod;
}

/// What `get` says of all of them; "unknown" where they differ.
template <class Get>
std::string common(const std::vector<const routing::Endpoint*>& endpoints, Get get) {
  std::set<std::string> values;
  for (const auto* endpoint : endpoints) values.insert(get(*endpoint));
  return values.size() == 1 ? *values.begin() : "unknown";
}

Labels destination_labels(const routing::Table* table, const DestinationName& name, const char* protocol) {
  std::string service = name.host, space = "unknown";
  if (const auto svc = name.host.find(".svc."); svc != std::string::npos) {
    const auto dot = name.host.find('.');
    service = name.host.substr(0, dot);
    space = name.host.substr(dot + 1, svc - dot - 1);
  }
  const auto workload =
      table != nullptr ? workload_labels(*table, name.host, name.port, name.subset) : WorkloadLabels{};
  return {{"reporter", "source"},
          {"source_workload", "unknown"},
          {"source_workload_namespace", "unknown"},
          {"source_principal", "unknown"},
          {"source_app", "unknown"},
          {"source_version", "unknown"},
          {"source_cluster", "unknown"},
          {"destination_workload", workload.workload},
          {"destination_workload_namespace", workload.workload_namespace},
          {"destination_principal", "unknown"},
          {"destination_app", workload.app},
          {"destination_version", workload.version},
          {"destination_service", name.host},
          {"destination_service_name", service},
          {"destination_service_namespace", space},
          {"destination_cluster", "unknown"},
          {"request_protocol", protocol},
          {"connection_security_policy", "unknown"},
          {"source_canonical_service", "unknown"},
          {"destination_canonical_service", workload.canonical_service},
          {"source_canonical_revision", "latest"},
          {"destination_canonical_revision", workload.canonical_revision}};
}

Labels with(Labels labels, const char* key, const std::string& value) {
  labels.emplace_back(key, value);
  return labels;
}

/// One destination over all rules that lead to it: Istio's labels have no place for the rule.
using Merged = std::map<std::string, proxy_process::TrafficReport>;

/// Where a service's own name stands for requests that went nowhere (faults, redirects, no endpoint).
std::string destination_of(const proxy_process::TrafficReport& traffic) {
  return traffic.destination.empty() ? traffic.route.substr(0, traffic.route.find('/')) : traffic.destination;
}

Merged merge(const proxy_process::Report& report) {
  Merged merged;
  for (const auto& traffic : report.traffic) {
    if (traffic.requests == 0) continue;
    auto& sum = merged[destination_of(traffic)];
    sum.requests += traffic.requests;
    sum.duration_sum_us += traffic.duration_sum_us;
    for (const auto& [status, count] : traffic.statuses) sum.statuses[status] += count;
    for (const auto& [upto, count] : traffic.durations) sum.durations[upto] += count;
    sum.status_classes[0] += traffic.status_classes[0];
  }
  return merged;
}

void write_requests(Writer& writer, const Merged& merged, const routing::Table* table) {
  writer.family("istio_requests_total", "counter", "Requests by destination and status; 0: no answer was sent.");
  for (const auto& [text, traffic] : merged) {
    const auto name = DestinationName::parse(text);
    if (!name) continue;
    const auto labels = destination_labels(table, *name, "http");
    for (const auto& [status, count] : traffic.statuses)
      writer.value("istio_requests_total", with(labels, "response_code", std::to_string(status)),
                   static_cast<double>(count));
    if (traffic.status_classes[0] > 0)
      writer.value("istio_requests_total", with(labels, "response_code", "0"),
                   static_cast<double>(traffic.status_classes[0]));
  }
}

void write_durations(Writer& writer, const Merged& merged, const routing::Table* table) {
  constexpr const char* kName = "istio_request_duration_milliseconds";
  writer.family(kName, "histogram", "From a request's first byte to its answer's last, by destination.");
  const std::string bucket = std::string(kName) + "_bucket";
  for (const auto& [text, traffic] : merged) {
    const auto name = DestinationName::parse(text);
    if (!name) continue;
    const auto labels = destination_labels(table, *name, "http");
    uint64_t all = 0;
    for (const auto& [upto, count] : traffic.durations) all += count;
    for (const double bound : kBounds) {
      uint64_t below = 0;
      for (const auto& [upto, count] : traffic.durations)
        if (static_cast<double>(upto) <= bound * 1000) below += count;
      writer.value(bucket, with(labels, "le", fmt::format("{:g}", bound)), static_cast<double>(below));
    }
    writer.value(bucket, with(labels, "le", "+Inf"), static_cast<double>(all));
    writer.value(std::string(kName) + "_sum", labels, static_cast<double>(traffic.duration_sum_us) / 1000);
    writer.value(std::string(kName) + "_count", labels, static_cast<double>(all));
  }
}

/// What the kernel splits: connections.
void write_connections(Writer& writer, const State& state, const datapath::MapsView& maps) {
  std::map<std::string, datapath::Counts> sums;
  std::map<uint64_t, const datapath::SplitView*> splits;
  for (const auto& split : maps.splits) splits.emplace(split.key, &split);
  for (const auto& service : state.table->plan->services)
    for (const auto& split : service->splits) {
      const auto view = splits.find(datapath::split_key(split.name));
      if (view == splits.end()) continue;
      for (const auto& destination : split.destinations) {
        const uint32_t key = datapath::destination_key(destination.host, destination.port, destination.subset);
        const auto found = std::ranges::find(view->second->destinations, key, &datapath::DestinationView::key);
        if (found == view->second->destinations.end()) continue;
        std::string name = fmt::format("{}:{}", destination.host, destination.port);
        if (!destination.subset.empty()) name += "/" + destination.subset;
        sums[name] += found->counts;
      }
    }
  const auto write = [&](const char* name, const char* help, uint64_t datapath::Counts::*count) {
    writer.family(name, "counter", help);
    for (const auto& [text, counts] : sums)
      if (const auto parsed = DestinationName::parse(text))
        writer.value(name, destination_labels(state.table.get(), *parsed, "tcp"), static_cast<double>(counts.*count));
  };
  write("istio_tcp_connections_opened_total", "Connections that the kernel has split, by destination.",
        &datapath::Counts::opened);
  write("istio_tcp_connections_closed_total", "Of which have ended.", &datapath::Counts::closed);
}

void write_own(Writer& writer, const State& state, const datapath::MapsView* maps,
               const proxy_process::Report* report) {
  writer.family("istio_build", "gauge", "The version that runs.");
  writer.value("istio_build", {{"component", "weir"}, {"tag", WEIR_VERSION}}, 1);
  writer.family("weir_config_generation", "gauge", "Number of the configuration that holds.");
  writer.value("weir_config_generation", {}, static_cast<double>(state.generation));
  writer.family("weir_config_refused", "gauge", "1: the folder as it is now is not used.");
  writer.value("weir_config_refused", {}, state.trouble ? 1 : 0);
  writer.family("weir_proxy_up", "gauge", "1: a proxy runs.");
  writer.value("weir_proxy_up", {}, state.proxy.what == ProxyState::What::kUp ? 1 : 0);
  writer.family("weir_proxy_restarts_total", "counter", "Proxies started because one was gone.");
  writer.value("weir_proxy_restarts_total", {}, static_cast<double>(state.proxy.restarts));
  writer.family("weir_swept_total", "counter", "Records and proofs removed because their sockets were gone.");
  writer.value("weir_swept_total", {{"what", "records"}}, static_cast<double>(state.swept.records));
  writer.value("weir_swept_total", {{"what", "proofs"}}, static_cast<double>(state.swept.proofs));
  if (report != nullptr) {
    writer.family("weir_proxy_loop_total", "counter", "What the proxy's loops have counted (connections_open: now).");
    for (const auto& [name, count] : report->totals)
      writer.value("weir_proxy_loop_total", {{"what", name}}, static_cast<double>(count));
  }
  if (maps == nullptr) return;
  writer.family("weir_verdicts_total", "counter", "What the kernel's programs did with connections.");
  for (const auto& verdict : maps->verdicts)
    writer.value("weir_verdicts_total", {{"verdict", verdict.name}}, static_cast<double>(verdict.count));
  if (maps->packets.empty()) return;
  writer.family("weir_packets_total", "counter", "What became of packets from outside the node.");
  for (const auto& packet : maps->packets)
    writer.value("weir_packets_total", {{"verdict", packet.name}}, static_cast<double>(packet.count));
}

}  // namespace

WorkloadLabels workload_labels(const routing::Table& table, const std::string& host, uint16_t port,
                               const std::string& subset) {
  WorkloadLabels labels;
  routing::RuleDestination destination;
  destination.host = host;
  destination.subset = subset;
  destination.port = port;
  const auto dot = host.find('.');
  const auto svc = host.find(".svc.");
  const std::string space = svc != std::string::npos ? host.substr(dot + 1, svc - dot - 1) : "default";
  const routing::Client client{space, {}, std::nullopt};
  const auto resolved = routing::resolve_destination(table, client, destination, port);
  if (!resolved.exists || resolved.endpoints.empty()) return labels;
  const auto& endpoints = resolved.endpoints;
  labels.workload = common(endpoints, &workload_of);
  labels.workload_namespace = common(endpoints, [](const auto& e) { return e.workload->namespace_; });
  labels.app = common(endpoints, [](const auto& e) { return label_of(e, {"app"}); });
  labels.version = common(endpoints, [](const auto& e) { return label_of(e, {"version"}); });
  if (labels.version == "unknown" && !subset.empty()) labels.version = subset;
  labels.canonical_service = common(endpoints, [](const auto& e) {
    return label_of(e, {"service.istio.io/canonical-name", "app.kubernetes.io/name", "app"});
  });
  labels.canonical_revision = common(endpoints, [](const auto& e) {
    return label_of(e, {"service.istio.io/canonical-revision", "app.kubernetes.io/version", "version"});
  });
  if (labels.canonical_revision == "unknown") labels.canonical_revision = "latest";
  return labels;
}

std::string metrics_text(const State& state, const datapath::MapsView* maps, const proxy_process::Report* report) {
  Writer writer;
  write_own(writer, state, maps, report);
  if (report != nullptr) {
    const auto merged = merge(*report);
    write_requests(writer, merged, state.table.get());
    write_durations(writer, merged, state.table.get());
  }
  if (maps != nullptr && state.table) write_connections(writer, state, *maps);
  return writer.finish();
}

}  // namespace weir::agent
