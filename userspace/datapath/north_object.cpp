#include "datapath/north_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <memory>
#include <string>

#include "datapath/kernel_object.h"
#include "datapath/libbpf_log.h"
#include "datapath/steps.h"
#include "north.skel.h"

namespace weir::datapath {
namespace {

struct DestroySkeleton {
  void operator()(north_bpf* skeleton) const { north_bpf__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<north_bpf, DestroySkeleton>;

bpf_map* map_of(const Skeleton& skeleton, const char* name) {
  return bpf_object__find_map_by_name(skeleton->obj, name);
}

bool is_table(NorthMap map) {
  return map == NorthMap::kFlows || map == NorthMap::kReverse;
}

Result<void> prepare_shared(const Skeleton& skeleton, const MapSet& shared) {
  for (size_t i = 0; i < kMapCount; ++i) {
    const auto id = static_cast<MapId>(i);
    bpf_map* map = map_of(skeleton, map_name(id));
    if (map == nullptr) continue;
    if (const int error = bpf_map__reuse_fd(map, shared.fd(id)); error < 0)
      return errno_error(std::string("take map ") + map_name(id) + " over", error);
  }
  return {};
}

Result<void> prepare_own(const Skeleton& skeleton, const NorthSizes& sizes, const NorthMaps* existing) {
  for (size_t i = 0; i < kNorthMapCount; ++i) {
    const auto id = static_cast<NorthMap>(i);
    bpf_map* map = map_of(skeleton, north_map_name(id));
    int error = 0;
    if (existing != nullptr && (*existing)[i])
      error = bpf_map__reuse_fd(map, (*existing)[i].get());
    else if (is_table(id))
      error = bpf_map__set_max_entries(map, sizes.flows);
    else if (id == NorthMap::kEmbryos || id == NorthMap::kEmbryoReverse)
      error = bpf_map__set_max_entries(map, sizes.embryos);
    if (error < 0) return errno_error(std::string("prepare map ") + north_map_name(id), error);
  }
  return {};
}

Result<void> take(int fd, const char* what, FileDescriptor* into) {
  auto copy = duplicate(fd, what);
  if (!copy) return std::move(copy).error();
  *into = *std::move(copy);
  return {};
}

}  // namespace

const char* north_map_name(NorthMap map) {
  static constexpr std::array<const char*, kNorthMapCount> names{"flows",          "reverse",       "embryos",
                                                                 "embryo_reverse", "north_config",  "north_state",
                                                                 "north_devices",  "packet_counts", "north_sieve"};
  return names[static_cast<size_t>(map)];
}

Result<NorthObject> load_north_object(const KernelFeatures& features, const NorthSizes& sizes, const MapSet& shared,
                                      const NorthMaps* existing) {
  const LibbpfLog log;
  const Skeleton skeleton(north_bpf__open());
  if (!skeleton) return errno_error("open the packet programs", errno);
  WEIR_TRY(prepare_shared(skeleton, shared));
  WEIR_TRY(prepare_own(skeleton, sizes, existing));
  skeleton->rodata->has_coarse_clock = features.coarse_clock ? 1 : 0;
  skeleton->rodata->ipv6_checksum_flag = features.ipv6_checksum ? 1 << 7 : 0;
  auto& programs = skeleton->progs;
  const bool fetch = features.fetch_add;
  bpf_program__set_autoload(programs.weir_xdp, fetch);
  bpf_program__set_autoload(programs.weir_xdp_a, !fetch);
  bpf_program__set_autoload(programs.weir_tc_in, fetch);
  bpf_program__set_autoload(programs.weir_tc_in_a, !fetch);
  before_step("load packet programs");
  if (const int error = north_bpf__load(skeleton.get()); error < 0) {
    Error result = errno_error("load the packet programs", error);
    if (!log.text().empty()) result.message += "\n" + log.text();
    return result;
  }
  NorthObject loaded;
  for (size_t i = 0; i < kNorthMapCount; ++i) {
    const char* name = north_map_name(static_cast<NorthMap>(i));
    WEIR_TRY(take(bpf_map__fd(map_of(skeleton, name)), name, &loaded.maps[i]));
  }
  WEIR_TRY(take(bpf_program__fd(fetch ? programs.weir_xdp : programs.weir_xdp_a), "weir_xdp", &loaded.xdp));
  WEIR_TRY(take(bpf_program__fd(fetch ? programs.weir_tc_in : programs.weir_tc_in_a), "weir_tc_in", &loaded.tc_in));
  WEIR_TRY(take(bpf_program__fd(programs.weir_tc_out), "weir_tc_out", &loaded.tc_out));
  return loaded;
}

}  // namespace weir::datapath
