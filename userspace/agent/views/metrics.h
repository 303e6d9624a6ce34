#pragma once
// Counters as Prometheus text, under Istio's names where dashboards, Kiali and Flagger look for them. Every label value
// comes from the configuration, none from a request. Pure.

#include <string>

#include "agent/views/state.h"
#include "datapath/maps_view.h"
#include "proxy_process/stats_report.h"

namespace weir::agent {

/// Series beyond this are left out and counted (weir_metrics_dropped_series).
inline constexpr size_t kMaxSeries = 10'000;

/// `maps`, `report` may be null.
std::string metrics_text(const State& state, const datapath::MapsView* maps, const proxy_process::Report* report);

/// Of a destination, as Istio's labels name it; "unknown" where its endpoints do not agree or do not say.
struct WorkloadLabels {
  std::string workload = "unknown", workload_namespace = "unknown", app = "unknown", version = "unknown";
  std::string canonical_service = "unknown", canonical_revision = "latest";
};
WorkloadLabels workload_labels(const routing::Table& table, const std::string& host, uint16_t port,
                               const std::string& subset);

}  // namespace weir::agent
