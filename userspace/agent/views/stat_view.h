#pragma once
// What each version of each service has carried: `weir stat`. Counters since their side began; whoever asks twice has
// rates. Pure.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "datapath/maps_view.h"
#include "proxy_process/stats_report.h"
#include "routing/table.h"
#include "routing/view/virtual_host.h"

namespace weir::agent {

/// A destination as the proxy names it, "reviews.default.svc.cluster.local:9080/v2".
struct DestinationName {
  std::string host;
  uint16_t port = 0;
  std::string subset;
  /// Nothing: not of this form.
  static std::optional<DestinationName> parse(std::string_view text);
};

/// One entry a rule and destination: {"service", "namespace", "port", "path", "rule", "host", "subset", "weight",
/// "intended", "unit": "requests"|"connections", "total", "success"|null, "open"|null, "status_classes"|null,
/// "durations": [{"upto_us", "count"}]}. `maps`, `report` may be null.
nlohmann::ordered_json stat_view(const routing::Table* table, const datapath::MapsView* maps,
                                 const proxy_process::Report* report);

}  // namespace weir::agent
