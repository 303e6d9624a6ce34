#include "datapath/map_carry.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "datapath/steps.h"

namespace weir::datapath {
namespace {

const std::optional<OldMap>& of(const OldMaps& old, MapId id) {
  return old[static_cast<size_t>(id)];
}

bool same_layout(const OldMap& old, const MapInfo& fresh) {
  return old.info.type == fresh.type && old.info.key_size == fresh.key_size && old.info.value_size == fresh.value_size;
}

/// Only elements that `keeps` says yes to, and as many as there is room for. False: not all of them.
template <class Key, class Value, class Keeps>
Result<bool> copy_hash(const OldMaps& old, MapId id, const MapSet& fresh, Keeps keeps) {
  const auto& from = of(old, id);
  if (!from || !same_layout(*from, fresh.info(id))) return false;
  auto elements = HashMap<Key, Value>(from->fd.get(), map_name(id)).read_all();
  if (!elements) return std::move(elements).error();
  std::vector<Key> keys;
  std::vector<Value> values;
  for (const auto& [key, value] : *elements) {
    if (keys.size() == fresh.info(id).max_entries || !keeps(key, value)) continue;
    keys.push_back(key);
    values.push_back(value);
  }
  WEIR_TRY((HashMap<Key, Value>(fresh.fd(id), map_name(id)).update(keys, values)));
  return keys.size() == elements->size();
}

/// The one element of an array, or one for each CPU. Values grow at their end only.
Result<void> copy_only_entry(const OldMaps& old, MapId id, const MapSet& fresh) {
  const auto& from = of(old, id);
  if (!from || from->info.type != fresh.info(id).type) return {};
  const bool per_cpu = from->info.type == BPF_MAP_TYPE_PERCPU_ARRAY;
  const auto cpus = per_cpu ? static_cast<size_t>(std::max(1, libbpf_num_possible_cpus())) : 1;
  // A value of each CPU begins at a multiple of 8.
  const auto stride = [](size_t size) { return (size + 7) / 8 * 8; };
  const size_t old_size = stride(from->info.value_size), new_size = stride(fresh.info(id).value_size);
  std::vector<char> was(cpus * old_size), is(cpus * new_size);
  const uint32_t zero = 0;
  if (const int error = bpf_map_lookup_elem(from->fd.get(), &zero, was.data()); error < 0)
    return errno_error(std::string("read map ") + map_name(id), error);
  for (size_t cpu = 0; cpu < cpus; ++cpu)
    std::memcpy(is.data() + cpu * new_size, was.data() + cpu * old_size,
                std::min(from->info.value_size, fresh.info(id).value_size));
  if (const int error = bpf_map_update_elem(fresh.fd(id), &zero, is.data(), BPF_ANY); error < 0)
    return errno_error(std::string("write map ") + map_name(id), error);
  return {};
}

bool ranges_fit(const abi::split& split, size_t endpoints) {
  for (uint32_t i = 0; i < std::min<uint32_t>(split.destination_count, abi::MAX_DESTINATIONS); ++i)
    if (uint64_t{split.destinations[i].first} + split.destinations[i].count > endpoints) return false;
  return true;
}

Result<bool> copy_endpoints(const OldMaps& old, const MapSet& fresh) {
  const auto& from = of(old, MapId::kEndpoints);
  if (!from || !same_layout(*from, fresh.info(MapId::kEndpoints))) return false;
  const size_t bytes = size_t{from->info.max_entries} * from->info.value_size;
  auto was = Mapping::map(from->fd.get(), map_name(MapId::kEndpoints), bytes, false);
  if (!was) return std::move(was).error();
  const auto source = was->as<abi::endpoint>();
  const auto target = fresh.memory().endpoints;
  std::copy_n(source.begin(), std::min(source.size(), target.size()), target.begin());
  return true;
}

/// `frontends`, `splits` and `endpoints`, which name each other's places and are made anew together.
Result<bool> copy_services(const OldMaps& old, const MapSet& fresh) {
  const size_t ids = fresh.memory().cursors.size(), endpoints = fresh.memory().endpoints.size();
  const auto all = [](const abi::frontend_key&, const abi::frontend&) { return true; };
  const auto fits = [&](uint32_t id, const abi::split& split) { return id < ids && ranges_fit(split, endpoints); };
  auto complete = copy_endpoints(old, fresh);
  if (!complete || !*complete) return complete;
  auto splits = copy_hash<uint32_t, abi::split>(old, MapId::kSplits, fresh, fits);
  if (!splits) return splits;
  auto frontends = copy_hash<abi::frontend_key, abi::frontend>(old, MapId::kFrontends, fresh, all);
  if (!frontends) return frontends;
  return *splits && *frontends;
}

/// Adds to `to` what `now` is more than `seen`; `seen` becomes `now`.
template <class Number>
void add_news(Number* to, Number now, Number* seen) {
  if (now > *seen) __atomic_fetch_add(to, now - *seen, __ATOMIC_RELAXED);
  *seen = now;
}

bool same_identity(const abi::counter& a, const abi::counter& b) {
  return std::memcmp(&a, &b, offsetof(abi::counter, picked)) == 0;
}

}  // namespace

Result<bool> fill_maps(const OldMaps& old, const MapSet& fresh) {
  before_step("fill maps");
  bool complete = true;
  if (of(old, MapId::kFrontends) || of(old, MapId::kSplits) || of(old, MapId::kEndpoints)) {
    const auto services = copy_services(old, fresh);
    if (!services) return services.error();
    complete = *services;
  }
  const auto all = [](const auto&, const auto&) { return true; };
  if (const auto done = copy_hash<uint64_t, uint32_t>(old, MapId::kSources, fresh, all); !done) return done.error();
  if (const auto done = copy_hash<uint32_t, abi::proxy_port>(old, MapId::kProxyPorts, fresh, all); !done)
    return done.error();
  if (const auto done = copy_hash<abi::gateway_place, uint32_t>(old, MapId::kGatewayPlaces, fresh, all); !done)
    return done.error();
  for (const MapId id : {MapId::kProxyPlace, MapId::kProxyBeat, MapId::kVerdicts, MapId::kMeta})
    WEIR_TRY(copy_only_entry(old, id, fresh));
  return complete;
}

Result<void> move_elements(const OldMap& from, int to) {
  const std::string& name = from.info.name;
  std::vector<char> keys, values;
  auto count = read_elements(from.fd.get(), name.c_str(), from.info.key_size, from.info.value_size, &keys, &values);
  if (!count) return std::move(count).error();
  if (*count > 0) before_step("move " + name);
  for (size_t i = 0; i < *count; ++i) {
    const char* key = keys.data() + i * from.info.key_size;
    const int made = bpf_map_update_elem(to, key, values.data() + i * from.info.value_size, BPF_NOEXIST);
    if (made < 0 && made != -EEXIST) continue;
    const int gone = bpf_map_delete_elem(from.fd.get(), key);
    // Closed between the reading and now.
    if (gone == -ENOENT && made == 0) (void)bpf_map_delete_elem(to, key);
  }
  return {};
}

Result<NumberCarry> NumberCarry::begin(const OldMaps& old, const MapMemory& fresh) {
  NumberCarry carry;
  const auto open = [&](MapId id, size_t size, Mapping* mapping) -> Result<void> {
    const auto& from = of(old, id);
    if (!from || from->info.value_size != size || from->info.type != BPF_MAP_TYPE_ARRAY) return {};
    auto made = Mapping::map(from->fd.get(), map_name(id), size * from->info.max_entries, false);
    if (!made) return std::move(made).error();
    *mapping = *std::move(made);
    return {};
  };
  WEIR_TRY(open(MapId::kCursors, sizeof(uint64_t), &carry.old_cursors_));
  WEIR_TRY(open(MapId::kCounters, sizeof(abi::counter), &carry.old_counters_));
  const auto cursors = carry.old_cursors_.as<const uint64_t>();
  carry.cursors_.assign(cursors.begin(),
                        cursors.begin() + static_cast<long>(std::min(cursors.size(), fresh.cursors.size())));
  std::copy(carry.cursors_.begin(), carry.cursors_.end(), fresh.cursors.begin());
  const auto counters = carry.old_counters_.as<const abi::counter>();
  carry.counters_.assign(counters.begin(),
                         counters.begin() + static_cast<long>(std::min(counters.size(), fresh.counters.size())));
  std::copy(carry.counters_.begin(), carry.counters_.end(), fresh.counters.begin());
  return carry;
}

void NumberCarry::go_on(const MapMemory& fresh) {
  const auto cursors = old_cursors_.as<const uint64_t>();
  for (size_t i = 0; i < cursors_.size(); ++i)
    add_news(&fresh.cursors[i], __atomic_load_n(&cursors[i], __ATOMIC_RELAXED), &cursors_[i]);
  const auto counters = old_counters_.as<const abi::counter>();
  for (size_t i = 0; i < counters_.size(); ++i) {
    abi::counter& seen = counters_[i];
    abi::counter& to = fresh.counters[i];
    // A place that was given to somebody else meanwhile has numbers of its own.
    if (!same_identity(seen, to)) continue;
    add_news(&to.picked, __atomic_load_n(&counters[i].picked, __ATOMIC_RELAXED), &seen.picked);
    add_news(&to.opened, __atomic_load_n(&counters[i].opened, __ATOMIC_RELAXED), &seen.opened);
    add_news(&to.closed, __atomic_load_n(&counters[i].closed, __ATOMIC_RELAXED), &seen.closed);
  }
}

}  // namespace weir::datapath
