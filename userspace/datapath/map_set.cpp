#include "datapath/map_set.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <vector>

namespace weir::datapath {
namespace {

constexpr uint32_t kZero = 0;

/// The descriptor of the map pinned at `path`; none if there is no pin.
Result<FileDescriptor> open_pin(const std::string& path, bool writable) {
  LIBBPF_OPTS(bpf_obj_get_opts, options, .file_flags = writable ? 0U : static_cast<__u32>(BPF_F_RDONLY));
  const int fd = bpf_obj_get_opts(path.c_str(), &options);
  if (fd >= 0) return FileDescriptor(fd);
  if (fd == -ENOENT) return FileDescriptor();
  return errno_error("open " + path, fd);
}

std::string shape(uint32_t type, uint32_t key, uint32_t value, uint32_t flags) {
  return "type " + std::to_string(type) + ", key " + std::to_string(key) + ", value " + std::to_string(value) +
         ", flags " + std::to_string(flags);
}

std::string mismatch(MapId id, const MapInfo& info, const MapSizes* sizes) {
  const MapSpec& spec = map_specs()[static_cast<size_t>(id)];
  const uint32_t flags = info.flags & ~static_cast<uint32_t>(BPF_F_RDONLY | BPF_F_WRONLY);
  if (info.type != spec.type || info.key_size != spec.key_size || info.value_size != spec.value_size ||
      flags != spec.flags)
    return std::string("map ") + spec.name + " has " + shape(info.type, info.key_size, info.value_size, flags) +
           ", expected " + shape(spec.type, spec.key_size, spec.value_size, spec.flags);
  if (sizes != nullptr && info.max_entries != entries_for(id, *sizes))
    return std::string("map ") + spec.name + " has " + std::to_string(info.max_entries) + " entries, asked for " +
           std::to_string(entries_for(id, *sizes));
  return {};
}

}  // namespace

const std::array<MapSpec, kMapCount>& map_specs() {
  using namespace abi;
  static const std::array<MapSpec, kMapCount> specs{{
      {"frontends", BPF_MAP_TYPE_HASH, sizeof(frontend_key), sizeof(frontend), 0},
      {"splits", BPF_MAP_TYPE_HASH, sizeof(uint32_t), sizeof(split), BPF_F_NO_PREALLOC},
      {"cursors", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(uint64_t), BPF_F_MMAPABLE},
      {"endpoints", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(endpoint), BPF_F_MMAPABLE},
      {"counters", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(counter), BPF_F_MMAPABLE},
      {"sockets", BPF_MAP_TYPE_HASH, sizeof(uint64_t), sizeof(socket_record), 0},
      {"sources", BPF_MAP_TYPE_HASH, sizeof(uint64_t), sizeof(uint32_t), 0},
      {"proxy_place", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(proxy_place), 0},
      {"proxy_beat", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(uint64_t), BPF_F_MMAPABLE},
      {"proxy_ports", BPF_MAP_TYPE_HASH, sizeof(uint32_t), sizeof(proxy_port), BPF_F_NO_PREALLOC},
      {"gateway_places", BPF_MAP_TYPE_HASH, sizeof(gateway_place), sizeof(uint32_t), BPF_F_NO_PREALLOC},
      {"proxy_sockets", BPF_MAP_TYPE_SOCKMAP, sizeof(uint32_t), sizeof(uint64_t), 0},
      {"spilled", BPF_MAP_TYPE_LRU_HASH, sizeof(uint64_t), sizeof(socket_record), 0},
      {"redirects", BPF_MAP_TYPE_LRU_HASH, sizeof(redirect_key), sizeof(redirect), 0},
      {"verdicts", BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(uint32_t), sizeof(verdicts), 0},
      {"meta", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(meta), 0},
  }};
  return specs;
}

const char* map_name(MapId id) {
  return map_specs()[static_cast<size_t>(id)].name;
}

std::string pin_name(MapId id) {
  const MapSpec& spec = map_specs()[static_cast<size_t>(id)];
  return spec.version == 1 ? spec.name : spec.name + ("_v" + std::to_string(spec.version));
}

uint32_t entries_for(MapId id, const MapSizes& sizes) {
  switch (id) {
    case MapId::kFrontends:
      return sizes.frontends;
    case MapId::kSplits:
    case MapId::kCursors:
      return sizes.splits;
    case MapId::kEndpoints:
      return sizes.endpoints;
    case MapId::kCounters:
      return sizes.counters;
    case MapId::kSockets:
      return sizes.sockets;
    case MapId::kSources:
      return sizes.sources;
    case MapId::kProxyPorts:
      return abi::MAX_PROXY_PORTS;
    case MapId::kGatewayPlaces:
      return abi::MAX_GATEWAY_PLACES;
    case MapId::kProxySockets:
      return 2 * abi::MAX_PROXY_WORKERS;
    case MapId::kSpilled:
      return abi::MAX_SPILLED;
    case MapId::kRedirects:
      return sizes.redirects;
    case MapId::kProxyPlace:
    case MapId::kProxyBeat:
    case MapId::kVerdicts:
    case MapId::kMeta:
      return 1;
  }
  return 1;
}

Result<PinnedMaps> MapSet::open(const std::string& directory, const MapSizes* sizes, bool writable) {
  PinnedMaps pinned;
  MapSet set;
  std::string missing, wrong;
  size_t found = 0;
  for (size_t i = 0; i < kMapCount; ++i) {
    const auto id = static_cast<MapId>(i);
    // The kernel maps nothing of a map that was opened read only, not even for reading.
    const bool mapped = (map_specs()[i].flags & BPF_F_MMAPABLE) != 0;
    auto fd = open_pin(directory + "/" + pin_name(id), writable || mapped);
    if (!fd) return std::move(fd).error();
    if (!fd->valid()) {
      if (missing.empty()) missing = std::string("map ") + map_name(id) + " is missing";
      continue;
    }
    ++found;
    auto info = map_info(fd->get());
    if (!info) return std::move(info).error().context(directory + "/" + pin_name(id));
    const std::string mismatched = mismatch(id, *info, sizes);
    if (wrong.empty()) wrong = mismatched;
    pinned.fits[i] = mismatched.empty();
    set.maps_[i] = *std::move(fd);
    set.infos_[i] = *std::move(info);
  }
  if (found == 0) return pinned;
  // The ABI number comes first: another version's maps may well have other shapes.
  uint32_t abi = 0;
  if (const int meta = set.fd(MapId::kMeta); meta >= 0) {
    std::vector<char> value(set.info(MapId::kMeta).value_size);
    if (value.size() >= sizeof(abi) && bpf_map_lookup_elem(meta, &kZero, value.data()) == 0)
      __builtin_memcpy(&abi, value.data(), sizeof(abi));
  }
  if (abi != abi::ABI_VERSION) {
    pinned.state = abi > abi::ABI_VERSION ? PinnedMaps::State::kNewer : PinnedMaps::State::kOther;
    pinned.why =
        "the pinned maps are of ABI " + std::to_string(abi) + ", this weir speaks " + std::to_string(abi::ABI_VERSION);
    pinned.fits = {};
    return pinned;
  }
  if (!missing.empty() || !wrong.empty()) {
    pinned.state = PinnedMaps::State::kOther;
    pinned.why = !missing.empty() ? missing : wrong;
    pinned.pieces = std::move(set.maps_);
    pinned.infos = std::move(set.infos_);
    return pinned;
  }
  WEIR_TRY(set.bind(writable));
  pinned.state = PinnedMaps::State::kUsable;
  pinned.maps = std::move(set);
  return pinned;
}

Result<MapSet> MapSet::adopt(std::array<FileDescriptor, kMapCount> maps) {
  MapSet set;
  set.maps_ = std::move(maps);
  for (size_t i = 0; i < kMapCount; ++i) {
    auto info = map_info(set.maps_[i].get());
    if (!info) return std::move(info).error();
    if (std::string wrong = mismatch(static_cast<MapId>(i), *info, nullptr); !wrong.empty())
      return Error{"the kernel made another map than was asked for: " + wrong, EINVAL};
    set.infos_[i] = *std::move(info);
  }
  WEIR_TRY(set.bind(true));
  return set;
}

Result<void> MapSet::bind(bool writable) {
  const auto map = [&](MapId id, Mapping* mapping) -> Result<void> {
    auto made = Mapping::map(fd(id), map_name(id), size_t{info(id).value_size} * info(id).max_entries, writable);
    if (!made) return std::move(made).error();
    *mapping = *std::move(made);
    return {};
  };
  WEIR_TRY(map(MapId::kEndpoints, &endpoints_));
  WEIR_TRY(map(MapId::kCursors, &cursors_));
  return map(MapId::kCounters, &counters_);
}

MapMemory MapSet::memory() const {
  return {endpoints_.as<abi::endpoint>(), cursors_.as<uint64_t>(), counters_.as<abi::counter>()};
}

template <class Value>
Result<Value> MapSet::read_only_entry(MapId id) const {
  Value value{};
  if (const int error = bpf_map_lookup_elem(fd(id), &kZero, &value); error < 0)
    return errno_error(std::string("read map ") + map_name(id), error);
  return value;
}

template <class Value>
Result<void> MapSet::write_only_entry(MapId id, const Value& value) const {
  if (const int error = bpf_map_update_elem(fd(id), &kZero, &value, BPF_ANY); error < 0)
    return errno_error(std::string("write map ") + map_name(id), error);
  return {};
}

Result<abi::meta> MapSet::read_meta() const {
  return read_only_entry<abi::meta>(MapId::kMeta);
}

Result<void> MapSet::write_meta(const abi::meta& meta) const {
  return write_only_entry(MapId::kMeta, meta);
}

Result<abi::proxy_place> MapSet::read_proxy_place() const {
  return read_only_entry<abi::proxy_place>(MapId::kProxyPlace);
}

Result<void> MapSet::write_proxy_place(const abi::proxy_place& place) const {
  return write_only_entry(MapId::kProxyPlace, place);
}

Result<size_t> MapSet::count(MapId id) const {
  std::vector<char> keys, values;
  return read_elements(fd(id), map_name(id), info(id).key_size, info(id).value_size, &keys, &values);
}

Result<uint64_t> MapSet::read_proxy_beat() const {
  return read_only_entry<uint64_t>(MapId::kProxyBeat);
}

Result<abi::verdicts> MapSet::read_verdicts() const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return errno_error("count the CPUs", cpus);
  std::vector<abi::verdicts> each(static_cast<size_t>(cpus));
  if (const int error = bpf_map_lookup_elem(fd(MapId::kVerdicts), &kZero, each.data()); error < 0)
    return errno_error("read map verdicts", error);
  abi::verdicts sum{};
  for (const abi::verdicts& one : each) {
#define WEIR_ADD_VERDICT(name, help) sum.name += one.name;
    WEIR_VERDICTS(WEIR_ADD_VERDICT)
#undef WEIR_ADD_VERDICT
  }
  return sum;
}

}  // namespace weir::datapath
