#include "datapath/map_home.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>

#include "datapath/bpffs.h"
#include "datapath/steps.h"

namespace weir::datapath {
namespace {

std::optional<uint32_t> pinned_map_id(const std::string& path) {
  const FileDescriptor fd(bpf_obj_get(path.c_str()));
  if (!fd) return std::nullopt;
  auto info = map_info(fd.get());
  if (!info) return std::nullopt;
  return info->id;
}

/// True when a link that is in force runs a program on the maps in `folder`.
bool in_force(const std::string& directory, const std::string& folder) {
  const auto id = pinned_map_id(folder + "/" + map_name(MapId::kFrontends));
  if (!id) return false;
  for (const char* hook : {"connect4", "connect6"}) {
    const auto maps = maps_of_link(directory + "/links/" + hook);
    if (std::count(maps.begin(), maps.end(), *id) > 0) return true;
  }
  return false;
}

/// Finishes or undoes what a start that died has left.
Result<void> finish_interrupted(const std::string& directory) {
  const std::string fresh = directory + "/maps_new";
  if (exists(fresh)) {
    if (in_force(directory, fresh)) return settle_in(directory);
    auto removed = remove_directory(fresh);
    if (!removed) return std::move(removed).error();
  }
  auto removed = remove_directory(directory + "/maps_old");
  if (!removed) return std::move(removed).error();
  return {};
}

Result<void> pin_maps(const std::string& folder, const MapSet& maps) {
  WEIR_TRY(make_directory(folder));
  for (size_t i = 0; i < kMapCount; ++i) {
    const auto id = static_cast<MapId>(i);
    WEIR_TRY(pin(maps.fd(id), folder + "/" + map_name(id)));
  }
  return {};
}

}  // namespace

Result<void> settle_in(const std::string& directory) {
  auto stale = remove_directory(directory + "/maps_old");
  if (!stale) return std::move(stale).error();
  if (exists(directory + "/maps")) WEIR_TRY(rename_pin(directory + "/maps", directory + "/maps_old"));
  WEIR_TRY(rename_pin(directory + "/maps_new", directory + "/maps"));
  auto old = remove_directory(directory + "/maps_old");
  if (!old) return std::move(old).error();
  return {};
}

Result<Home> open_home(const std::string& directory, const MapSizes& sizes, const KernelFeatures& features,
                       const abi::meta& meta, PortRange proxy_ports) {
  WEIR_TRY(finish_interrupted(directory));
  auto pinned = MapSet::open(directory + "/maps", &sizes, true);
  if (!pinned) return std::move(pinned).error();
  if (pinned->state == PinnedMaps::State::kNewer)
    return Error{pinned->why + ": refusing to touch them; run the newer weir, or `weir uninstall` first", EPROTO};
  const MapSet* existing = pinned->maps ? &*pinned->maps : nullptr;
  auto loaded = load_object(features, sizes, existing, proxy_ports);
  if (!loaded) return std::move(loaded).error();
  auto maps = MapSet::adopt(std::move(loaded->maps));
  if (!maps) return std::move(maps).error();
  Home home{.maps = *std::move(maps),
            .programs = std::move(loaded->programs),
            .adopted = existing != nullptr,
            .beside = false,
            .why_new = pinned->why};
  if (home.adopted) return home;
  WEIR_TRY(home.maps.write_meta(meta));
  WEIR_TRY(pin_maps(directory + "/maps_new", home.maps));
  home.beside = pinned->state == PinnedMaps::State::kOther;
  if (!home.beside) WEIR_TRY(settle_in(directory));
  return home;
}

Result<std::vector<std::string>> repin_maps(const std::string& directory, const MapSet& maps) {
  std::vector<std::string> again;
  WEIR_TRY(make_directory(directory + "/maps"));
  for (size_t i = 0; i < kMapCount; ++i) {
    const auto id = static_cast<MapId>(i);
    const std::string path = directory + "/maps/" + map_name(id);
    if (pinned_map_id(path) == maps.info(id).id) continue;
    WEIR_TRY(pin(maps.fd(id), path));
    again.push_back(std::string("map ") + map_name(id));
  }
  return again;
}

}  // namespace weir::datapath
