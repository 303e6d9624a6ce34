#pragma once
// Plans and plain memory in place of maps.

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "datapath/map_diff.h"
#include "datapath/map_state.h"
#include "routing/plan/plan.h"

namespace weir::datapath {

inline routing::PlanEndpoint endpoint_at(const std::string& address, uint16_t port = 80, uint32_t weight = 1) {
  return {.address = *IpAddress::parse(address), .port = port, .weight = weight};
}

inline routing::PlanDestination destination_of(const std::string& subset, uint64_t weight,
                                               std::vector<routing::PlanEndpoint> endpoints) {
  return {.host = "svc.default.svc.cluster.local",
          .port = 80,
          .subset = subset,
          .weight = weight,
          .endpoints = std::move(endpoints)};
}

inline std::shared_ptr<routing::ServicePlan> service_of(const std::string& name, const std::string& address,
                                                        std::vector<routing::PlanDestination> destinations) {
  auto service = std::make_shared<routing::ServicePlan>();
  service->service = name;
  service->port = 80;
  service->path = routing::Path::kKernel;
  service->splits.push_back({.name = name, .destinations = std::move(destinations), .origin = {}, .fallback = false});
  service->frontends.push_back(
      {.address = *IpAddress::parse(address), .port = 80, .protocol = 6, .source = 0, .split = 0});
  return service;
}

/// Memory of the maps, and what a kernel would make of the writes.
struct FakeMaps {
  explicit FakeMaps(size_t endpoint_count = 64, size_t split_count = 16, size_t counter_count = 64,
                    uint32_t frontend_count = 16)
      : endpoints(endpoint_count),
        cursors(split_count),
        counters(counter_count),
        state({endpoints, cursors, counters}, frontend_count, static_cast<uint32_t>(split_count), 42) {}

  /// Writes `changes` as map_writer does, then commits.
  void write(const Changes& changes, uint64_t now_ns) {
    for (const auto& [id, value] : changes.counters) counters[id] = value;
    size_t next = 0;
    for (const Range& range : changes.fresh)
      for (uint32_t i = 0; i < range.count; ++i) endpoints[range.first + i] = changes.endpoints[next++];
    commit(state, changes, now_ns);
  }

  Result<Changes> want(const std::vector<std::shared_ptr<routing::ServicePlan>>& services, uint64_t generation = 1,
                       uint64_t now_ns = 0) {
    images.clear();
    Wanted wanted;
    wanted.everything = true;
    for (const auto& service : services) {
      auto image = make_service_image(*service);
      if (!image) return std::move(image).error();
      images.push_back(*std::move(image));
    }
    for (const ServiceImage& image : images) wanted.services.push_back(&image);
    return diff(state, wanted, generation, now_ns);
  }
  /// Wants, writes; how many operations it took.
  size_t apply(const std::vector<std::shared_ptr<routing::ServicePlan>>& services, uint64_t generation = 1,
               uint64_t now_ns = 0) {
    auto changes = want(services, generation, now_ns);
    if (!changes) return SIZE_MAX;
    write(*changes, now_ns);
    return changes->operations();
  }
  [[nodiscard]] std::string text() const {
    std::vector<std::string> lines;
    for (const auto& [key, split] : state.splits) lines.push_back(to_text(split.value, endpoints) + "\n");
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const auto& line : lines) all += line;
    return all;
  }

  std::vector<abi::endpoint> endpoints;
  std::vector<uint64_t> cursors;
  std::vector<abi::counter> counters;
  MapState state;
  std::deque<ServiceImage> images;
};

}  // namespace weir::datapath
