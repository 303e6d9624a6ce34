#pragma once
// What the request path counts: per destination of a route, per endpoint, and per loop. Each loop writes a part of its
// own, without locks; any thread may read the sum while they write.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/flags.h"

namespace weir::proxy {

/// One writer, any number of readers.
class Counter {
 public:
  void add(uint64_t count = 1) { value_.store(get() + count, std::memory_order_relaxed); }
  void subtract(uint64_t count = 1) { value_.store(get() - count, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

/// Durations, four buckets an octave (19 % wide) from 1 us to half an hour.
class Histogram {
 public:
  static constexpr size_t kBuckets = 124;
  void add(std::chrono::nanoseconds duration);
  [[nodiscard]] uint64_t count(size_t bucket) const { return buckets_[bucket].get(); }
  [[nodiscard]] uint64_t sum_us() const { return sum_us_.get(); }
  /// Inclusive upper end of a bucket.
  static std::chrono::microseconds upper(size_t bucket);

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter sum_us_;
};

struct TrafficStats {
  Counter requests, tunnels, retries, mirrors, mirrors_dropped, delays, aborts;
  Counter bytes_received, bytes_sent;     // bodies, from and to the client
  std::array<Counter, 6> status_classes;  // [2]: 2xx; [0]: no answer at all
  std::array<Counter, kFlagCount> flags;
  Histogram durations;
};

struct EndpointStats {
  Counter requests, connections, connect_failures, resets, ejections;
  std::array<Counter, 6> status_classes;
};

// One list for the struct and for every place that prints names.
#define WEIR_LOOP_COUNTERS(X)                                                   \
  X(connections)         /* accepted */                                         \
  X(connections_open)    /* now */                                              \
  X(requests)            /* whole heads */                                      \
  X(refused_no_frontend) /* came in on a port that stands for nothing: reset */ \
  X(refused_per_client)  /* too many of one client: reset */                    \
  X(closed_for_room)     /* idle ones, for new ones */                          \
  X(accept_exhausted)    /* no descriptors or memory */                         \
  X(bad_requests)        /* no valid HTTP */                                    \
  X(head_timeouts)                                                              \
  X(slow_bodies)                                                                \
  X(idle_closed)                                                                \
  X(dropped_log_lines)

struct LoopStats {
#define WEIR_LOOP_COUNTER(name) Counter name;
  WEIR_LOOP_COUNTERS(WEIR_LOOP_COUNTER)
#undef WEIR_LOOP_COUNTER
};

/// A part a loop.
template <class Stats>
class Sharded {
 public:
  explicit Sharded(size_t loops) : parts_(loops) {}
  Stats& of_loop(size_t loop) { return parts_[loop].stats; }
  [[nodiscard]] size_t loops() const { return parts_.size(); }
  [[nodiscard]] const Stats& of_loop(size_t loop) const { return parts_[loop].stats; }
  template <class Get>
  [[nodiscard]] uint64_t sum(Get get) const {
    uint64_t total = 0;
    for (const Part& part : parts_) total += get(part.stats).get();
    return total;
  }

 private:
  struct alignas(64) Part {
    Stats stats;
  };
  std::vector<Part> parts_;
};
using SharedTrafficStats = std::shared_ptr<Sharded<TrafficStats>>;
using SharedEndpointStats = std::shared_ptr<Sharded<EndpointStats>>;

/// Finds counters by name. They live as long as somebody holds them, or until sweep(). Any thread.
class StatsRegistry {
 public:
  explicit StatsRegistry(size_t loops) : loops_(loops) {}

  /// `route`: "reviews.default.svc.cluster.local:9080/jason"; `destination`: "reviews...:9080/v2", empty for answers of
  /// our own.
  SharedTrafficStats traffic(std::string_view route, std::string_view destination);
  SharedEndpointStats endpoint(std::string_view destination, std::string_view address);
  void sweep();

  struct TrafficEntry {
    std::string route, destination;
    SharedTrafficStats stats;
  };
  struct EndpointEntry {
    std::string destination, address;
    SharedEndpointStats stats;
  };
  [[nodiscard]] std::vector<TrafficEntry> all_traffic();
  [[nodiscard]] std::vector<EndpointEntry> all_endpoints();
  [[nodiscard]] size_t loops() const { return loops_; }

 private:
  using Name = std::pair<std::string, std::string>;
  size_t loops_;
  std::mutex mutex_;
  std::map<Name, SharedTrafficStats> traffic_;
  std::map<Name, SharedEndpointStats> endpoints_;
};

}  // namespace weir::proxy
