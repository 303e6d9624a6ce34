#include "datapath/map_diff.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/hash.h"
#include "pick/pick.h"

namespace weir::datapath {
namespace {

void copy_text(char* to, size_t size, std::string_view text) {
  const size_t length = std::min(text.size(), size - 1);
  std::memcpy(to, text.data(), length);
  std::memset(to + length, 0, size - length);
}

uint64_t first_phase(uint64_t node_phase, uint64_t key) {
  char bytes[sizeof(key)];
  std::memcpy(bytes, &key, sizeof(key));
  return hash64({bytes, sizeof(bytes)}, node_phase);
}

/// The work of one diff().
class Differ {
 public:
  Differ(MapState& state, const Wanted& wanted, uint64_t generation, uint64_t now_ns)
      : state_(state), wanted_(wanted), now_ns_(now_ns) {
    changes_.generation = generation;
  }

  Result<Changes> run() {
    claim();
    if (auto made = make_all(); !made) {
      undo(state_, changes_);  // places taken so far
      return std::move(made).error();
    }
    remove();
    return std::move(changes_);
  }

 private:
  using Claims = std::unordered_map<abi::frontend_key, const ServiceImage*, FrontendKeyHash>;

  /// A split is a kilobyte: growing a list of thousands by doubling would copy each twice.
  void make_room() {
    if (!wanted_.everything || !state_.splits.empty()) return;
    size_t splits = 0, endpoints = 0;
    for (const ServiceImage* service : wanted_.services)
      for (const SplitImage& split : service->splits) {
        ++splits;
        for (const DestinationImage& destination : split.destinations) endpoints += destination.endpoints.size();
      }
    changes_.splits.reserve(splits);
    changes_.endpoints.reserve(endpoints);
    changes_.counters.reserve(endpoints);
    state_.splits.reserve(splits);
    state_.frontends.reserve(splits);
  }

  Result<void> make_all() {
    make_room();
    for (const ServiceImage* service : wanted_.services)
      for (const SplitImage& split : service->splits)
        if (claimed_splits_[split.key] == service) WEIR_TRY(make_split(split));
    return make_frontends();
  }

  void claim() {
    claimed_frontends_.reserve(wanted_.services.size());
    claimed_splits_.reserve(wanted_.services.size());
    for (const ServiceImage* service : wanted_.services) {
      for (const SplitImage& split : service->splits) {
        const auto [claimed, first] = claimed_splits_.emplace(split.key, service);
        if (!first && claimed->second != service)
          changes_.warnings.push_back("split " + split.name + " of service " + service->service +
                                      " has the name of one of service " + claimed->second->service + ", which holds");
      }
      for (const FrontendImage& frontend : service->frontends) {
        const auto [claimed, first] = claimed_frontends_.emplace(frontend.key, service);
        if (!first && claimed->second != service)
          changes_.warnings.push_back("service " + service->service + " claims " + to_text(frontend.key) +
                                      ", which service " + claimed->second->service + " has; that one holds");
      }
    }
  }

  Result<void> make_split(const SplitImage& image) {
    const auto known = state_.splits.find(image.key);
    const MapState::Split* old = known == state_.splits.end() ? nullptr : &known->second;
    if (old == nullptr && new_ids_.contains(image.key)) return {};  // twice in one service
    uint32_t id = old != nullptr ? old->id : 0;
    if (old == nullptr) {
      const auto taken = state_.split_ids.take(1);
      if (!taken) return no_room("splits", state_.splits.size() + new_ids_.size() + 1, state_.split_ids);
      id = taken->first;
      new_ids_.emplace(image.key, id);
      changes_.fresh_ids.push_back(id);
    }
    const bool sound = old != nullptr && old->sound;
    abi::split& value = changes_.splits.emplace_back();  // in place: it is large
    value.key = image.key;
    value.flags = image.fallback ? abi::SPLIT_FALLBACK : 0;
    value.mode = abi::SPLIT_EXACT;
    value.destination_count = static_cast<uint32_t>(image.destinations.size());
    copy_text(value.name, sizeof(value.name), image.name);
    std::copy(image.forks.begin(), image.forks.end(), value.forks);
    std::array<bool, abi::MAX_DESTINATIONS> kept{};
    for (uint32_t i = 0; i < value.destination_count; ++i)
      WEIR_TRY(make_destination(image, image.destinations[i], id, sound ? &old->value : nullptr, &kept,
                                &value.destinations[i]));
    // Picks are numbered anew whenever the weights change, so that the new ones hold from the first pick on.
    const bool same_order = sound && same_weights(old->value, value);
    value.phase = sound ? old->value.phase : first_phase(state_.phase, image.key);
    value.start = same_order ? old->value.start : state_.memory.cursors[id];
    if (sound) {
      value.stamp = old->value.stamp;
      value.generation = old->value.generation;
      if (value == old->value) {
        changes_.splits.pop_back();
        return {};
      }
      free_ranges(old->value, kept);
    }
    value.stamp = state_.next_stamp++;
    value.generation = changes_.generation;
    changes_.split_ids.push_back(id);
    return {};
  }

  static bool same_weights(const abi::split& a, const abi::split& b) {
    if (a.destination_count != b.destination_count || std::memcmp(a.forks, b.forks, sizeof(a.forks)) != 0) return false;
    for (uint32_t i = 0; i < a.destination_count; ++i)
      if (a.destinations[i].key != b.destinations[i].key) return false;
    return true;
  }

  /// Fills `value`; keeps the old split's range if it says the same, else takes a fresh one.
  Result<void> make_destination(const SplitImage& split, const DestinationImage& image, uint32_t id,
                                const abi::split* old, std::array<bool, abi::MAX_DESTINATIONS>* kept,
                                abi::split_destination* value) {
    value->last = image.last;
    value->key = image.key;
    value->count = static_cast<uint32_t>(image.endpoints.size());
    value->flags = image.weighted ? abi::DESTINATION_WEIGHTED : 0;
    copy_text(value->label, sizeof(value->label), image.label);
    if (image.endpoints.empty()) return {};
    scratch_.clear();
    for (const EndpointImage& endpoint : image.endpoints) scratch_.push_back(make_endpoint(split, image, id, endpoint));
    if (old != nullptr) {
      for (uint32_t i = 0; i < old->destination_count; ++i) {
        const auto& before = old->destinations[i];
        if ((*kept)[i] || before.key != image.key || before.count != value->count) continue;
        if (!std::equal(scratch_.begin(), scratch_.end(), state_.memory.endpoints.begin() + before.first)) continue;
        (*kept)[i] = true;
        value->first = before.first;
        return {};
      }
    }
    const auto range = state_.ranges.take(value->count);
    if (!range) return no_room("endpoints", uint64_t{state_.ranges.used()} + value->count, state_.ranges);
    value->first = range->first;
    changes_.fresh.push_back(*range);
    changes_.endpoints.insert(changes_.endpoints.end(), scratch_.begin(), scratch_.end());
    return {};
  }

  abi::endpoint make_endpoint(const SplitImage& split, const DestinationImage& destination, uint32_t id,
                              const EndpointImage& image) {
    abi::endpoint value{};
    std::memcpy(value.address, image.address.bytes().data(), sizeof(value.address));
    value.port = htons(image.port);
    value.last = image.last;
    value.flags = image.local ? abi::ENDPOINT_LOCAL : 0;
    value.split = id;
    const auto found = state_.counters.find({split.key, destination.key, image.port, image.address}, now_ns_);
    value.counter = found.id;
    if (found.fresh) {
      abi::counter counter{};
      counter.split_key = split.key;
      counter.destination_key = destination.key;
      counter.port = value.port;
      std::memcpy(counter.address, value.address, sizeof(counter.address));
      changes_.counters.emplace_back(found.id, counter);
    }
    return value;
  }

  Result<void> make_frontends() {
    size_t added = 0;
    for (const ServiceImage* service : wanted_.services) {
      for (const FrontendImage& image : service->frontends) {
        if (claimed_frontends_[image.key] != service) continue;
        abi::frontend value{.check = pick::frontend_check(image.key),
                            .split = id_of(image.split),
                            .flags = image.flags,
                            .proxy_port = htons(image.proxy_port)};
        const auto known = state_.frontends.find(image.key);
        if (known != state_.frontends.end() && known->second == value) continue;
        if (known == state_.frontends.end()) ++added;
        changes_.frontend_keys.push_back(image.key);
        changes_.frontends.push_back(value);
      }
    }
    const size_t needed = state_.frontends.size() + added;
    if (needed <= state_.max_frontends) return {};
    return Error{"frontends: the map is full: " + std::to_string(needed) + " entries needed, it has " +
                     std::to_string(state_.max_frontends),
                 ENOSPC};
  }

  [[nodiscard]] uint32_t id_of(uint64_t key) const {
    if (const auto fresh = new_ids_.find(key); fresh != new_ids_.end()) return fresh->second;
    const auto known = state_.splits.find(key);
    return known == state_.splits.end() ? 0 : known->second.id;
  }

  void remove() {
    if (wanted_.everything) {
      for (const auto& [key, value] : state_.frontends)
        if (!claimed_frontends_.contains(key)) changes_.gone_frontends.push_back(key);
      for (const auto& [key, split] : state_.splits)
        if (!claimed_splits_.contains(key)) remove_split(key, split);
      changes_.gone_splits.insert(changes_.gone_splits.end(), state_.stray_splits.begin(), state_.stray_splits.end());
      return;
    }
    for (const auto& key : wanted_.gone_frontends)
      if (!claimed_frontends_.contains(key) && state_.frontends.contains(key)) changes_.gone_frontends.push_back(key);
    for (const uint64_t key : wanted_.gone_splits)
      if (const auto known = state_.splits.find(key); known != state_.splits.end() && !claimed_splits_.contains(key))
        remove_split(key, known->second);
  }

  void remove_split(uint64_t key, const MapState::Split& split) {
    changes_.gone_splits.push_back(split.id);
    changes_.gone_split_keys.push_back(key);
    changes_.freed_ids.push_back(split.id);
    if (split.sound) free_ranges(split.value, {});
  }

  void free_ranges(const abi::split& split, const std::array<bool, abi::MAX_DESTINATIONS>& kept) {
    for (uint32_t i = 0; i < split.destination_count; ++i)
      if (!kept[i] && split.destinations[i].count > 0)
        changes_.freed.push_back({split.destinations[i].first, split.destinations[i].count});
  }

  static Error no_room(const char* map, uint64_t needed, const RangeAllocator& places) {
    std::string text = std::string(map) + ": the map is full: " + std::to_string(needed) +
                       " entries needed at least, it has " + std::to_string(places.size() - 1);
    if (places.resting() > 0) text += " (" + std::to_string(places.resting()) + " of them just freed)";
    return Error{std::move(text), ENOSPC};
  }

  MapState& state_;
  const Wanted& wanted_;
  uint64_t now_ns_;
  Changes changes_;
  Claims claimed_frontends_;
  std::unordered_map<uint64_t, const ServiceImage*> claimed_splits_;
  std::unordered_map<uint64_t, uint32_t> new_ids_;
  std::vector<abi::endpoint> scratch_;
};

}  // namespace

Result<Changes> diff(MapState& state, const Wanted& wanted, uint64_t generation, uint64_t now_ns) {
  state.ranges.wake(now_ns);
  state.split_ids.wake(now_ns);
  return Differ(state, wanted, generation, now_ns).run();
}

void commit(MapState& state, const Changes& changes, uint64_t now_ns) {
  for (const abi::endpoint& endpoint : changes.endpoints) state.counters.use(endpoint.counter);
  for (const Range& range : changes.freed) {
    for (uint32_t i = 0; i < range.count; ++i)
      state.counters.release(state.memory.endpoints[range.first + i].counter, now_ns);
    state.ranges.free(range, now_ns);
  }
  for (const uint32_t id : changes.freed_ids) state.split_ids.free({id, 1}, now_ns);
  for (const uint64_t key : changes.gone_split_keys) state.splits.erase(key);
  for (size_t i = 0; i < changes.splits.size(); ++i)
    state.splits[changes.splits[i].key] = {.id = changes.split_ids[i], .sound = true, .value = changes.splits[i]};
  for (size_t i = 0; i < changes.frontends.size(); ++i)
    state.frontends[changes.frontend_keys[i]] = changes.frontends[i];
  for (const auto& key : changes.gone_frontends) state.frontends.erase(key);
  if (!changes.gone_splits.empty()) state.stray_splits.clear();
}

void undo(MapState& state, const Changes& changes) {
  for (const Range& range : changes.fresh) state.ranges.untake(range);
  for (const uint32_t id : changes.fresh_ids) state.split_ids.untake({id, 1});
  for (const auto& [id, counter] : changes.counters) state.counters.forget(identity_of(counter));
}

}  // namespace weir::datapath
