#include "datapath/read_maps.h"

#include <arpa/inet.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <unordered_map>

#include "datapath/north.h"

namespace weir::datapath {
namespace {

constexpr double kPoints = 4294967296.0;

IpAddress address_of(const uint8_t (&bytes)[16]) {
  IpAddress::Bytes copy;
  std::memcpy(copy.data(), bytes, copy.size());
  return IpAddress(copy);
}

template <size_t kSize>
std::string text_of(const char (&text)[kSize]) {
  return {text, strnlen(text, kSize)};
}

Counts counts_of(const abi::counter& counter) {
  return {.picked = counter.picked, .opened = counter.opened, .closed = counter.closed};
}

/// What all counters of a destination add up to, past endpoints included.
using Totals = std::map<std::pair<uint64_t, uint32_t>, Counts>;

class Viewer {
 public:
  explicit Viewer(const MapSet& maps) : maps_(maps), memory_(maps.memory()) {}

  Result<MapsView> run() {
    auto meta = maps_.read_meta();
    if (!meta) return std::move(meta).error();
    view_.abi = meta->abi;
    view_.generation = meta->generation;
    view_.written_at_ns = meta->written_at;
    view_.node = text_of(meta->node);
    add_up_counters();
    WEIR_TRY(read_splits());
    WEIR_TRY(read_frontends());
    WEIR_TRY(read_proxy());
    WEIR_TRY(read_rest());
    return std::move(view_);
  }

 private:
  void add_up_counters() {
    for (const abi::counter& counter : memory_.counters.subspan(std::min<size_t>(1, memory_.counters.size()))) {
      if (counter.split_key == 0) continue;
      ++counters_used_;
      totals_[{counter.split_key, counter.destination_key}] += counts_of(counter);
    }
  }

  Result<void> read_splits() {
    auto elements = maps_.splits().read_all();
    if (!elements) return std::move(elements).error();
    for (const auto& [id, split] : *elements) view_.splits.push_back(view_split(id, split));
    std::sort(view_.splits.begin(), view_.splits.end(),
              [](const SplitView& a, const SplitView& b) { return std::tie(a.name, a.id) < std::tie(b.name, b.id); });
    return {};
  }

  SplitView view_split(uint32_t id, const abi::split& split) {
    SplitView view;
    view.id = id;
    view.key = split.key;
    view.name = text_of(split.name);
    view.generation = split.generation;
    view.start = split.start;
    view.phase = split.phase;
    view.fallback = (split.flags & abi::SPLIT_FALLBACK) != 0;
    if (id < memory_.cursors.size()) view.cursor = memory_.cursors[id];
    if (split.destination_count > abi::MAX_DESTINATIONS) {
      problem(id, std::to_string(split.destination_count) + " destinations");
      return view;
    }
    double below = 0;
    for (uint32_t i = 0; i < split.destination_count; ++i) {
      const auto& part = split.destinations[i];
      DestinationView& destination = view.destinations.emplace_back();
      destination.key = part.key;
      destination.label = text_of(part.label);
      destination.share = (part.last + 1.0) / kPoints - below;
      below += destination.share;
      if (destination.share <= 0) problem(id, "thresholds that do not rise");
      if (const auto total = totals_.find({split.key, part.key}); total != totals_.end())
        destination.counts = total->second;
      view.counts += destination.counts;
      view_endpoints(id, part, &destination);
    }
    return view;
  }

  void view_endpoints(uint32_t id, const abi::split_destination& part, DestinationView* destination) {
    if (uint64_t{part.first} + part.count > memory_.endpoints.size()) return problem(id, "endpoints out of bounds");
    endpoints_used_ += part.count;
    double below = 0;
    for (uint32_t k = 0; k < part.count; ++k) {
      const abi::endpoint& endpoint = memory_.endpoints[part.first + k];
      if (endpoint.split != id) problem(id, "an endpoint of split " + std::to_string(endpoint.split));
      const bool weighted = (part.flags & abi::DESTINATION_WEIGHTED) != 0;
      const double upto = weighted ? (endpoint.last + 1.0) / kPoints : (k + 1.0) / part.count;
      EndpointView view{.address = address_of(endpoint.address),
                        .port = ntohs(endpoint.port),
                        .share = destination->share * (upto - below),
                        .counts = {}};
      below = upto;
      if (endpoint.counter != 0 && endpoint.counter < memory_.counters.size())
        view.counts = counts_of(memory_.counters[endpoint.counter]);
      destination->endpoints.push_back(view);
    }
  }

  Result<void> read_frontends() {
    auto elements = maps_.frontends().read_all();
    if (!elements) return std::move(elements).error();
    for (const auto& [key, value] : *elements)
      view_.frontends.push_back({.address = address_of(key.address),
                                 .port = ntohs(key.port),
                                 .protocol = key.protocol,
                                 .source = key.source,
                                 .split = value.split,
                                 .proxy_port = ntohs(value.proxy_port),
                                 .refuse_without_proxy = (value.flags & abi::FRONTEND_REFUSE_WITHOUT_PROXY) != 0});
    std::sort(view_.frontends.begin(), view_.frontends.end(), [](const FrontendView& a, const FrontendView& b) {
      return std::tie(a.address, a.port, a.protocol, a.source) < std::tie(b.address, b.port, b.protocol, b.source);
    });
    return {};
  }

  Result<void> read_proxy() {
    auto place = maps_.read_proxy_place();
    if (!place) return std::move(place).error();
    auto beat = maps_.read_proxy_beat();
    if (!beat) return std::move(beat).error();
    ProxyView& proxy = view_.proxy;
    proxy.enabled = (place->flags & abi::PROXY_ENABLED) != 0;
    if (const auto v4 = address_of(place->v4); !v4.is_unspecified()) proxy.v4 = v4;
    if (const auto v6 = address_of(place->v6); !v6.is_unspecified()) proxy.v6 = v6;
    proxy.cgroup_id = place->cgroup;
    proxy.v4_workers = place->v4_workers;
    proxy.v6_workers = place->v6_workers;
    proxy.beat_ns = *beat;
    auto ports = maps_.proxy_ports().read_all();
    if (!ports) return std::move(ports).error();
    for (const auto& [port, entry] : *ports) {
      if (port == 0 || port > UINT16_MAX)
        view_.problems.push_back("proxy_ports has " + std::to_string(port) + ", which is no port");
      else
        proxy.ports.push_back({static_cast<uint16_t>(port), address_of(entry.address), ntohs(entry.port),
                               entry.unused_since, (entry.flags & abi::PROXY_PORT_GATEWAY) != 0,
                               (entry.flags & abi::PROXY_PORT_OUTSIDE) != 0});
    }
    std::sort(proxy.ports.begin(), proxy.ports.end(), [](const auto& a, const auto& b) { return a.port < b.port; });
    return {};
  }

  Result<void> read_rest() {
    auto sources = maps_.sources().read_all();
    if (!sources) return std::move(sources).error();
    view_.sources = *std::move(sources);
    std::sort(view_.sources.begin(), view_.sources.end(),
              [](const auto& a, const auto& b) { return a.second < b.second; });
    auto verdicts = maps_.read_verdicts();
    if (!verdicts) return std::move(verdicts).error();
#define WEIR_VIEW_VERDICT(name, help) view_.verdicts.push_back({#name, help, verdicts->name});
    WEIR_VERDICTS(WEIR_VIEW_VERDICT)
#undef WEIR_VIEW_VERDICT
    auto sockets = maps_.sockets().read_all();
    if (!sockets) return std::move(sockets).error();
    auto redirects = maps_.count(MapId::kRedirects);
    if (!redirects) return std::move(redirects).error();
    auto spilled = maps_.count(MapId::kSpilled);
    if (!spilled) return std::move(spilled).error();
    const auto places = maps_.gateway_places().read_all();
    if (!places) return places.error();
    const std::array<uint64_t, kMapCount> used{view_.frontends.size(),
                                               view_.splits.size(),
                                               view_.splits.size(),
                                               endpoints_used_,
                                               counters_used_,
                                               sockets->size(),
                                               view_.sources.size(),
                                               1,
                                               1,
                                               view_.proxy.ports.size(),
                                               places->size(),
                                               view_.proxy.v4_workers + view_.proxy.v6_workers,
                                               *spilled,
                                               *redirects,
                                               1,
                                               1};
    for (size_t i = 0; i < kMapCount; ++i) {
      const MapInfo& info = maps_.info(static_cast<MapId>(i));
      view_.usage.push_back(
          {info.name, type_name(info.type), used[i], info.max_entries, info.key_size, info.value_size, info.id});
    }
    return {};
  }

  static std::string type_name(uint32_t type) {
    if (type == BPF_MAP_TYPE_HASH) return "hash";
    if (type == BPF_MAP_TYPE_LRU_HASH) return "lru_hash";
    if (type == BPF_MAP_TYPE_SOCKMAP) return "sockmap";
    return type == BPF_MAP_TYPE_ARRAY ? "array" : "percpu_array";
  }

  void problem(uint32_t id, const std::string& what) {
    view_.problems.push_back("split " + std::to_string(id) + " has " + what);
  }

  const MapSet& maps_;
  MapMemory memory_;
  MapsView view_;
  Totals totals_;
  uint64_t counters_used_ = 0, endpoints_used_ = 0;
};

}  // namespace

Result<MapsView> view_maps(const MapSet& maps) {
  return Viewer(maps).run();
}

Result<MapsView> read_maps(const std::string& bpffs_dir) {
  auto pinned = MapSet::open(bpffs_dir + "/maps", nullptr, false);
  if (!pinned) return std::move(pinned).error();
  if (pinned->state == PinnedMaps::State::kNone)
    return Error{"no maps are pinned in " + bpffs_dir + " (has a weir agent run on this node?)", ENOENT};
  if (!pinned->maps) return Error{"the maps in " + bpffs_dir + " cannot be read: " + pinned->why, EPROTO};
  auto view = view_maps(*pinned->maps);
  if (!view) return view;
  auto packets = read_packet_counts(bpffs_dir);
  if (!packets) return std::move(packets).error();
  view->packets = *std::move(packets);
  return view;
}

}  // namespace weir::datapath
