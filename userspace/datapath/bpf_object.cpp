#include "datapath/bpf_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "datapath/kernel_object.h"
#include "datapath/libbpf_log.h"
#include "datapath/steps.h"
#include "weir.skel.h"

namespace weir::datapath {
namespace {

struct DestroySkeleton {
  void operator()(weir_bpf* skeleton) const { weir_bpf__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<weir_bpf, DestroySkeleton>;

/// Before 5.11 maps count against the locked-memory limit. Refused (no CAP_SYS_RESOURCE) is no error: making the maps
/// will tell.
void lift_memory_limit() {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  (void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

bpf_map* map_of(const Skeleton& skeleton, size_t index) {
  return bpf_object__find_map_by_name(skeleton->obj, map_name(static_cast<MapId>(index)));
}

Result<void> prepare_maps(const Skeleton& skeleton, const MapSizes& sizes, const GivenMaps& given) {
  for (size_t i = 0; i < kMapCount; ++i) {
    const auto id = static_cast<MapId>(i);
    bpf_map* map = map_of(skeleton, i);
    const int error = given.maps[i] >= 0 ? bpf_map__reuse_fd(map, given.maps[i])
                                         : bpf_map__set_max_entries(map, entries_for(id, sizes));
    if (error < 0) return errno_error(std::string("prepare map ") + map_name(id), error);
  }
  return {};
}

/// A map that is there for as long as another takes its place.
Result<void> prepare_before(bpf_map* map, int given, volatile const uint8_t* told) {
  const int error = given >= 0 ? bpf_map__reuse_fd(map, given) : bpf_map__set_autocreate(map, false);
  if (error < 0) return errno_error("prepare an old map", error);
  *const_cast<uint8_t*>(told) = given >= 0 ? 1 : 0;
  return {};
}

/// The program for each hook; null where the kernel cannot.
std::array<bpf_program*, kHookCount> choose_programs(const Skeleton& skeleton, const KernelFeatures& features) {
  const auto& all = skeleton->progs;
  return {features.fetch_add ? all.weir_connect4 : all.weir_connect4_a,
          features.fetch_add ? all.weir_connect6 : all.weir_connect6_a,
          features.getpeername ? all.weir_peername4 : nullptr,
          features.getpeername ? all.weir_peername6 : nullptr,
          features.sock_release ? all.weir_release : nullptr,
          features.proxy() ? all.weir_sock_ops : nullptr,
          features.proxy() ? all.weir_sk_lookup : nullptr};
}

Error load_error(int error, const std::string& log) {
  Error result = errno_error("load the BPF programs", error);
  if (error == -EPERM) result.message += " (needs CAP_BPF and CAP_NET_ADMIN, or root)";
  if (error == -ENOMEM || error == -E2BIG) result.message += " (are the maps too large for this node?)";
  if (!log.empty()) result.message += "\n" + log;
  return result;
}

}  // namespace

Result<LoadedObject> load_object(const KernelFeatures& features, const MapSizes& sizes, const GivenMaps& given,
                                 PortRange proxy_ports) {
  if (features.no_right)
    return Error{"no right to load BPF programs: weir needs root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN", EPERM};
  if (!features.missing.empty()) return Error{"this kernel lacks what weir needs: " + features.missing, ENOTSUP};
  const LibbpfLog log;
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  lift_memory_limit();
  const Skeleton skeleton(weir_bpf__open());
  if (!skeleton) return load_error(-errno, log.text());
  WEIR_TRY(prepare_maps(skeleton, sizes, given));
  WEIR_TRY(prepare_before(skeleton->maps.sockets_before, given.sockets_before, &skeleton->rodata->has_sockets_before));
  WEIR_TRY(
      prepare_before(skeleton->maps.redirects_before, given.redirects_before, &skeleton->rodata->has_redirects_before));
  skeleton->rodata->has_mptcp = features.mptcp ? 1 : 0;
  skeleton->rodata->has_set_retval = features.set_retval ? 1 : 0;
  skeleton->rodata->proxy_port_first = proxy_ports.first;
  skeleton->rodata->proxy_port_count = proxy_ports.count;
  const auto chosen = choose_programs(skeleton, features);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) {
    bool wanted = false;
    for (const bpf_program* one : chosen) wanted = wanted || one == program;
    bpf_program__set_autoload(program, wanted);
  }
  before_step("load programs");
  if (const int error = weir_bpf__load(skeleton.get()); error < 0) return load_error(error, log.text());
  LoadedObject loaded;
  for (size_t i = 0; i < kMapCount; ++i) {
    auto fd = duplicate(bpf_map__fd(map_of(skeleton, i)), map_name(static_cast<MapId>(i)));
    if (!fd) return std::move(fd).error();
    loaded.maps[i] = *std::move(fd);
  }
  for (size_t i = 0; i < kHookCount; ++i) {
    if (chosen[i] == nullptr) continue;
    auto fd = duplicate(bpf_program__fd(chosen[i]), hook_specs()[i].name);
    if (!fd) return std::move(fd).error();
    loaded.programs[i] = *std::move(fd);
  }
  return loaded;
}

}  // namespace weir::datapath
