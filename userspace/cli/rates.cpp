#include "cli/rates.h"

#include <map>

namespace weir::cli {
namespace {

std::string key_of(const Json& row) {
  std::string key;
  for (const char* part : {"service", "namespace", "port", "path", "rule", "host", "subset"})
    key += row.value(part, Json()).dump() + "|";
  return key;
}

uint64_t number(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

std::map<uint64_t, uint64_t> counts_of(const Json& durations) {
  std::map<uint64_t, uint64_t> counts;
  for (const auto& bucket : durations) counts[number(bucket, "upto_us")] += number(bucket, "count");
  return counts;
}

Json difference(const Json& now, const Json& before) {
  auto counts = counts_of(now);
  for (const auto& [upto, count] : counts_of(before)) {
    auto& left = counts[upto];
    left = left > count ? left - count : 0;
  }
  Json list = Json::array();
  for (const auto& [upto, count] : counts)
    if (count > 0) list.push_back({{"upto_us", upto}, {"count", count}});
  return list;
}

Json or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

void add_request_rates(Json& row, const Json& before, uint64_t total) {
  const uint64_t good = number(row, "success") - (before.is_null() ? 0 : number(before, "success"));
  row["success_rate"] = total > 0 ? Json(static_cast<double>(good) / static_cast<double>(total)) : Json(nullptr);
  const Json durations = difference(row["durations"], before.is_null() ? Json::array() : before["durations"]);
  row["p50_ms"] = or_null(percentile_ms(durations, 0.50));
  row["p95_ms"] = or_null(percentile_ms(durations, 0.95));
  row["p99_ms"] = or_null(percentile_ms(durations, 0.99));
}

}  // namespace

std::optional<double> percentile_ms(const Json& durations, double share) {
  const auto counts = counts_of(durations);
  uint64_t all = 0;
  for (const auto& [upto, count] : counts) all += count;
  if (all == 0) return {};
  uint64_t below = 0;
  for (const auto& [upto, count] : counts) {
    below += count;
    if (static_cast<double>(below) >= share * static_cast<double>(all)) return static_cast<double>(upto) / 1000;
  }
  return static_cast<double>(counts.rbegin()->first) / 1000;
}

Json add_rates(const Json& before, const Json& now, double seconds) {
  std::map<std::string, const Json*> old;
  for (const auto& row : before) old[key_of(row)] = &row;
  std::map<std::string, uint64_t> of_rule;
  const auto rule_key = [](const Json& row) {
    return row["service"].dump() + row["port"].dump() + row["path"].dump() + row["rule"].dump();
  };
  Json list = now;
  for (auto& row : list) {
    const auto found = old.find(key_of(row));
    // Counters that went back began anew.
    const bool same = found != old.end() && number(*found->second, "total") <= number(row, "total") &&
                      number(*found->second, "success") <= number(row, "success");
    const Json base = same ? *found->second : Json();
    const uint64_t total = number(row, "total") - (same ? number(base, "total") : 0);
    row["recent"] = total;
    row["rate"] = static_cast<double>(total) / seconds;
    of_rule[rule_key(row)] += total;
    if (row.value("unit", "") == "requests") add_request_rates(row, base, total);
  }
  for (auto& row : list) {
    const uint64_t sum = of_rule[rule_key(row)];
    row["share"] =
        sum > 0 ? Json(static_cast<double>(number(row, "recent")) / static_cast<double>(sum)) : Json(nullptr);
  }
  return list;
}

}  // namespace weir::cli
