#pragma once
// The maps together: which they are, whether pinned ones are ours to use, their descriptors and memory.

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "bpf/abi.h"
#include "datapath/bpf_map.h"
#include "datapath/datapath.h"
#include "datapath/map_state.h"

namespace weir::datapath {

enum class MapId {
  kFrontends,
  kSplits,
  kCursors,
  kEndpoints,
  kCounters,
  kSockets,
  kSources,
  kProxyPlace,
  kProxyBeat,
  kProxyPorts,
  kGatewayPlaces,
  kProxySockets,
  kSpilled,
  kRedirects,
  kVerdicts,
  kMeta
};
inline constexpr size_t kMapCount = 16;

struct MapSpec {
  const char* name;
  uint32_t type, key_size, value_size, flags;
  /// Of the layout; from 2 on in the pin's name ("splits_v2"). See bpf/abi.h.
  uint32_t version = 1;
};

/// In the order of MapId.
const std::array<MapSpec, kMapCount>& map_specs();
const char* map_name(MapId id);
std::string pin_name(MapId id);
/// How many entries `id` gets for `sizes`.
uint32_t entries_for(MapId id, const MapSizes& sizes);

struct PinnedMaps;

class MapSet {
 public:
  /// Usable: this ABI, all there, right types and sizes and, with `sizes`, as many entries as asked for.
  static Result<PinnedMaps> open(const std::string& directory, const MapSizes* sizes, bool writable);
  /// Takes descriptors of maps that were just made.
  static Result<MapSet> adopt(std::array<FileDescriptor, kMapCount> maps);

  [[nodiscard]] int fd(MapId id) const { return maps_[static_cast<size_t>(id)].get(); }
  [[nodiscard]] const MapInfo& info(MapId id) const { return infos_[static_cast<size_t>(id)]; }

  [[nodiscard]] HashMap<abi::frontend_key, abi::frontend> frontends() const {
    return {fd(MapId::kFrontends), map_name(MapId::kFrontends)};
  }
  [[nodiscard]] HashMap<uint32_t, abi::split> splits() const { return {fd(MapId::kSplits), map_name(MapId::kSplits)}; }
  [[nodiscard]] HashMap<uint64_t, uint32_t> sources() const { return {fd(MapId::kSources), map_name(MapId::kSources)}; }
  [[nodiscard]] HashMap<uint64_t, abi::socket_record> sockets() const {
    return {fd(MapId::kSockets), map_name(MapId::kSockets)};
  }
  [[nodiscard]] HashMap<uint32_t, abi::proxy_port> proxy_ports() const {
    return {fd(MapId::kProxyPorts), map_name(MapId::kProxyPorts)};
  }
  [[nodiscard]] HashMap<abi::gateway_place, uint32_t> gateway_places() const {
    return {fd(MapId::kGatewayPlaces), map_name(MapId::kGatewayPlaces)};
  }
  /// Valid while this object lives; read only unless opened writable.
  [[nodiscard]] MapMemory memory() const;

  [[nodiscard]] Result<abi::meta> read_meta() const;
  [[nodiscard]] Result<void> write_meta(const abi::meta& meta) const;
  [[nodiscard]] Result<abi::proxy_place> read_proxy_place() const;
  [[nodiscard]] Result<void> write_proxy_place(const abi::proxy_place& place) const;
  [[nodiscard]] Result<uint64_t> read_proxy_beat() const;
  /// Elements of a hash map.
  [[nodiscard]] Result<size_t> count(MapId id) const;
  [[nodiscard]] HashMap<abi::redirect_key, abi::redirect> redirects() const {
    return {fd(MapId::kRedirects), map_name(MapId::kRedirects)};
  }
  /// Summed over the CPUs.
  [[nodiscard]] Result<abi::verdicts> read_verdicts() const;

 private:
  Result<void> bind(bool writable);
  /// Of a map with one entry.
  template <class Value>
  Result<Value> read_only_entry(MapId id) const;
  template <class Value>
  Result<void> write_only_entry(MapId id, const Value& value) const;

  std::array<FileDescriptor, kMapCount> maps_;
  std::array<MapInfo, kMapCount> infos_;
  Mapping endpoints_, cursors_, counters_;
};

/// What the pins in a folder are.
struct PinnedMaps {
  enum class State { kNone, kUsable, kOther, kNewer } state = State::kNone;
  std::string why;               // for kOther and kNewer
  std::optional<MapSet> maps{};  // for kUsable
  /// For kOther: those maps that are there, as they are, and which of them are what was asked for. Of another ABI none
  /// is.
  std::array<FileDescriptor, kMapCount> pieces{};
  std::array<MapInfo, kMapCount> infos{};
  std::array<bool, kMapCount> fits{};
};

}  // namespace weir::datapath
