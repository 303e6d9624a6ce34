#include "proxy/stats.h"

#include <algorithm>
#include <bit>

namespace weir::proxy {
namespace {
constexpr int kStepsAnOctave = 4;
}

void Histogram::add(std::chrono::nanoseconds duration) {
  const auto us = static_cast<uint64_t>(std::max<int64_t>(duration.count() / 1000, 0));
  sum_us_.add(us);
  // The octave from the highest bit, the step within it from the two bits below.
  size_t bucket = us;
  if (us >= kStepsAnOctave) {
    const int octave = std::bit_width(us) - 1;
    bucket = static_cast<size_t>((octave - 1) * kStepsAnOctave) + ((us >> (octave - 2)) & (kStepsAnOctave - 1));
  }
  buckets_[std::min(bucket, kBuckets - 1)].add();
}

std::chrono::microseconds Histogram::upper(size_t bucket) {
  if (bucket < kStepsAnOctave) return std::chrono::microseconds(bucket);
  const size_t octave = bucket / kStepsAnOctave + 1;
  const uint64_t width = uint64_t{1} << (octave - 2);
  return std::chrono::microseconds((kStepsAnOctave + bucket % kStepsAnOctave + 1) * width - 1);
}

void StatusCounts::add(int status) {
  for (Slot& slot : slots_) {
    const uint16_t taken = slot.status.load(std::memory_order_relaxed);
    if (taken != 0 && taken != status) continue;
    slot.count.add();
    if (taken == 0) slot.status.store(static_cast<uint16_t>(status), std::memory_order_release);
    return;
  }
}

SharedTrafficStats StatsRegistry::traffic(std::string_view route, std::string_view destination) {
  const std::lock_guard guard(mutex_);
  SharedTrafficStats& stats = traffic_[{std::string(route), std::string(destination)}];
  if (!stats) stats = std::make_shared<Sharded<TrafficStats>>(loops_);
  return stats;
}

SharedEndpointStats StatsRegistry::endpoint(std::string_view destination, std::string_view address) {
  const std::lock_guard guard(mutex_);
  SharedEndpointStats& stats = endpoints_[{std::string(destination), std::string(address)}];
  if (!stats) stats = std::make_shared<Sharded<EndpointStats>>(loops_);
  return stats;
}

void StatsRegistry::sweep() {
  const std::lock_guard guard(mutex_);
  std::erase_if(traffic_, [](const auto& entry) { return entry.second.use_count() == 1; });
  std::erase_if(endpoints_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

std::vector<StatsRegistry::TrafficEntry> StatsRegistry::all_traffic() {
  const std::lock_guard guard(mutex_);
  std::vector<TrafficEntry> all;
  for (const auto& [name, stats] : traffic_) all.push_back({name.first, name.second, stats});
  return all;
}

std::vector<StatsRegistry::EndpointEntry> StatsRegistry::all_endpoints() {
  const std::lock_guard guard(mutex_);
  std::vector<EndpointEntry> all;
  for (const auto& [name, stats] : endpoints_) all.push_back({name.first, name.second, stats});
  return all;
}

}  // namespace weir::proxy
