#include "client_report.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <vector>

namespace weir::tools {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  }
  return out + "\"";
}

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.3f", value);
  return text;
}

/// `sorted` in nanoseconds; the answer in microseconds.
double quantile_us(const std::vector<uint32_t>& sorted, double q) {
  if (sorted.empty()) return 0;
  const auto index = static_cast<size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5);
  return sorted[index] / 1000.0;
}

template <class Pairs>
std::string object(const Pairs& pairs) {
  std::string out = "{";
  for (const auto& [key, count] : pairs) {
    if (out.size() > 1) out += ",";
    out += quoted(key) + ":" + std::to_string(count);
  }
  return out + "}";
}

std::string latencies(std::vector<uint32_t>& all) {
  std::sort(all.begin(), all.end());
  const double sum = std::accumulate(all.begin(), all.end(), 0.0);
  const double mean = all.empty() ? 0 : sum / 1000.0 / static_cast<double>(all.size());
  return R"({"mean":)" + number(mean) + R"(,"p50":)" + number(quantile_us(all, 0.5)) + R"(,"p90":)" +
         number(quantile_us(all, 0.9)) + R"(,"p99":)" + number(quantile_us(all, 0.99)) + R"(,"max":)" +
         number(quantile_us(all, 1)) + "}";
}

}  // namespace

std::string to_json(ClientCounts counts, uint64_t elapsed_ns) {
  std::sort(counts.by_version.begin(), counts.by_version.end());
  const double seconds = static_cast<double>(elapsed_ns) / 1e9;
  std::string out = R"({"total":)" + std::to_string(counts.total) + R"(,"failed":)" + std::to_string(counts.failed) +
                    R"(,"errors":)" + object(counts.errors) + R"(,"by_version":)" + object(counts.by_version) +
                    R"(,"elapsed_us":)" + number(seconds * 1e6) + R"(,"connections_per_s":)" +
                    number(seconds > 0 ? static_cast<double>(counts.total) / seconds : 0) + R"(,"latency_us":)" +
                    latencies(counts.latencies_ns);
  if (!counts.sequence.empty()) {
    out += R"(,"sequence":[)";
    for (size_t i = 0; i < counts.sequence.size(); ++i) out += (i > 0 ? "," : "") + quoted(counts.sequence[i]);
    out += "]";
  }
  return out + "}";
}

}  // namespace weir::tools
