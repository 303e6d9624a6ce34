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

std::string path_in(const std::string& folder, MapId id) {
  return folder + "/" + pin_name(id);
}

/// Maps that no connect program uses.
bool is_elsewhere(MapId id) {
  return id == MapId::kProxyPorts || id == MapId::kGatewayPlaces || id == MapId::kProxySockets || id == MapId::kMeta;
}

/// True when a link that is in force runs a program on maps that `fresh` has and `maps` has not: the connect hooks come
/// last, so that all others do too.
bool in_force(const std::string& directory, const std::string& fresh) {
  std::vector<uint32_t> connect_maps, lookup_maps = maps_of_link(directory + "/links/sk_lookup");
  for (const char* hook : {"connect4", "connect6"})
    for (const uint32_t id : maps_of_link(directory + "/links/" + hook)) connect_maps.push_back(id);
  bool only_elsewhere = true, looked_up = false;
  for (size_t i = 0; i < kMapCount; ++i) {
    const auto map = static_cast<MapId>(i);
    const auto id = pinned_map_id(path_in(fresh, map));
    if (!id || id == pinned_map_id(path_in(directory + "/maps", map))) continue;
    if (std::count(connect_maps.begin(), connect_maps.end(), *id) > 0) return true;
    only_elsewhere = only_elsewhere && is_elsewhere(map);
    looked_up = looked_up || std::count(lookup_maps.begin(), lookup_maps.end(), *id) > 0;
  }
  return only_elsewhere && looked_up;
}

Result<void> remove_old(const std::string& directory) {
  auto removed = remove_directory(directory + "/maps_old");
  if (!removed) return std::move(removed).error();
  return {};
}

Result<void> swap_folders(const std::string& directory) {
  if (exists(directory + "/maps")) {
    WEIR_TRY(remove_old(directory));
    WEIR_TRY(rename_pin(directory + "/maps", directory + "/maps_old"));
  }
  return rename_pin(directory + "/maps_new", directory + "/maps");
}

/// Finishes or undoes what a start that died has left; maps_old stays.
Result<void> finish_interrupted(const std::string& directory) {
  const std::string fresh = directory + "/maps_new";
  if (!exists(fresh)) return {};
  if (in_force(directory, fresh)) return swap_folders(directory);
  auto removed = remove_directory(fresh);
  if (!removed) return std::move(removed).error();
  return {};
}

/// What a start that died had still to move out of `id`.
Result<std::optional<OldMap>> left_to_move(const std::string& directory, MapId id) {
  OldMap old;
  old.fd.reset(bpf_obj_get(path_in(directory + "/maps_old", id).c_str()));
  if (!old.fd) return std::optional<OldMap>();
  auto info = map_info(old.fd.get());
  if (!info) return std::move(info).error();
  old.info = *std::move(info);
  const bool same = pinned_map_id(path_in(directory + "/maps", id)) == old.info.id;
  return same ? std::optional<OldMap>() : std::optional(std::move(old));
}

Result<void> move_to_piece(const PinnedMaps& pinned, MapId id, std::optional<OldMap>* left) {
  const auto i = static_cast<size_t>(id);
  if (!*left || !pinned.pieces[i] || pinned.fits[i]) return {};
  WEIR_TRY(move_elements(**left, pinned.pieces[i].get()));
  left->reset();
  return {};
}

bool is_of_services(size_t i) {
  const auto id = static_cast<MapId>(i);
  return id == MapId::kFrontends || id == MapId::kSplits || id == MapId::kEndpoints;
}

/// The pinned maps that go on. `frontends`, `splits` and `endpoints` name each other's places, and places in `cursors`
/// and `counters`: programs on the old ones must not find half of what is written to the new.
std::array<bool, kMapCount> carried_on(const PinnedMaps& pinned) {
  auto kept = pinned.fits;
  bool services = kept[static_cast<size_t>(MapId::kCursors)] && kept[static_cast<size_t>(MapId::kCounters)];
  for (size_t i = 0; i < kMapCount; ++i) services = services && (kept[i] || !is_of_services(i));
  for (size_t i = 0; i < kMapCount; ++i) kept[i] = kept[i] && (services || !is_of_services(i));
  return kept;
}

GivenMaps give(const PinnedMaps& pinned) {
  if (pinned.maps) return GivenMaps(*pinned.maps);
  GivenMaps given;
  const auto kept = carried_on(pinned);
  for (size_t i = 0; i < kMapCount; ++i)
    if (kept[i]) given.maps[i] = pinned.pieces[i].get();
  return given;
}

/// Those that do not go on.
OldMaps take_old(PinnedMaps* pinned) {
  OldMaps old;
  const auto kept = carried_on(*pinned);
  for (size_t i = 0; i < kMapCount; ++i)
    if (pinned->pieces[i] && !kept[i]) old[i] = OldMap{std::move(pinned->pieces[i]), std::move(pinned->infos[i])};
  return old;
}

/// What connections are in is moved when nobody writes to it any more.
std::optional<OldMap> take_records(OldMaps* old, MapId id) {
  const MapSpec& spec = map_specs()[static_cast<size_t>(id)];
  auto& map = (*old)[static_cast<size_t>(id)];
  const bool same = map && map->info.type == spec.type && map->info.key_size == spec.key_size &&
                    map->info.value_size == spec.value_size;
  return same ? std::exchange(map, std::nullopt) : std::nullopt;
}

Result<void> pin_maps(const std::string& folder, const MapSet& maps) {
  WEIR_TRY(make_directory(folder));
  for (size_t i = 0; i < kMapCount; ++i) {
    const auto id = static_cast<MapId>(i);
    WEIR_TRY(pin(maps.fd(id), path_in(folder, id)));
  }
  return {};
}

Result<Home> make_home(PinnedMaps* pinned, const MapSizes& sizes, const KernelFeatures& features, PortRange proxy_ports,
                       std::optional<OldMap> sockets, std::optional<OldMap> redirects, OldMaps* old) {
  GivenMaps given = give(*pinned);
  *old = take_old(pinned);
  if (!sockets) sockets = take_records(old, MapId::kSockets);
  if (!redirects) redirects = take_records(old, MapId::kRedirects);
  given.sockets_before = sockets ? sockets->fd.get() : -1;
  given.redirects_before = redirects ? redirects->fd.get() : -1;
  auto loaded = load_object(features, sizes, given, proxy_ports);
  if (!loaded) return std::move(loaded).error();
  auto maps = MapSet::adopt(std::move(loaded->maps));
  if (!maps) return std::move(maps).error();
  return Home{.maps = *std::move(maps),
              .programs = std::move(loaded->programs),
              .adopted = false,
              .beside = false,
              .why_new = pinned->why,
              .numbers = {},
              .old_sockets = std::move(sockets),
              .old_redirects = std::move(redirects)};
}

Result<void> move_records(const Home& home) {
  if (home.old_sockets) WEIR_TRY(move_elements(*home.old_sockets, home.maps.fd(MapId::kSockets)));
  if (home.old_redirects) WEIR_TRY(move_elements(*home.old_redirects, home.maps.fd(MapId::kRedirects)));
  return {};
}

}  // namespace

Result<void> settle_in(const std::string& directory, Home* home) {
  if (!home->beside) return {};
  WEIR_TRY(swap_folders(directory));
  home->beside = false;
  return {};
}

Result<void> move_in(const std::string& directory, Home* home) {
  WEIR_TRY(move_records(*home));
  home->numbers.go_on(home->maps.memory());
  home->old_sockets.reset();
  home->old_redirects.reset();
  return remove_old(directory);
}

Result<HookPrograms> load_on(const Home& home, const KernelFeatures& features, PortRange proxy_ports) {
  auto loaded = load_object(features, {}, GivenMaps(home.maps), proxy_ports);
  if (!loaded) return std::move(loaded).error();
  return std::move(loaded->programs);
}

Result<Home> open_home(const std::string& directory, const MapSizes& sizes, const KernelFeatures& features,
                       const abi::meta& meta, PortRange proxy_ports) {
  WEIR_TRY(finish_interrupted(directory));
  auto pinned = MapSet::open(directory + "/maps", &sizes, true);
  if (!pinned) return std::move(pinned).error();
  if (pinned->state == PinnedMaps::State::kNewer)
    return Error{pinned->why + ": refusing to touch them; run the newer weir, or `weir uninstall` first", EPROTO};
  auto sockets = left_to_move(directory, MapId::kSockets);
  if (!sockets) return std::move(sockets).error();
  auto redirects = left_to_move(directory, MapId::kRedirects);
  if (!redirects) return std::move(redirects).error();
  // Twice interrupted: what the first left goes to what the second takes the place of.
  WEIR_TRY(move_to_piece(*pinned, MapId::kSockets, &*sockets));
  WEIR_TRY(move_to_piece(*pinned, MapId::kRedirects, &*redirects));
  OldMaps old;
  auto home = make_home(&*pinned, sizes, features, proxy_ports, *std::move(sockets), *std::move(redirects), &old);
  if (!home) return home;
  if (pinned->state == PinnedMaps::State::kUsable) {
    home->adopted = true;
    return home;
  }
  const bool none = pinned->state == PinnedMaps::State::kNone;
  auto complete = fill_maps(old, home->maps);
  if (!complete) return std::move(complete).error();
  const auto services = static_cast<size_t>(MapId::kFrontends);
  home->adopted = *complete && (carried_on(*pinned)[services] || old[services]);
  auto numbers = NumberCarry::begin(old, home->maps.memory());
  if (!numbers) return std::move(numbers).error();
  home->numbers = *std::move(numbers);
  auto now = home->maps.read_meta();
  if (!now) return std::move(now).error();
  if (now->abi != meta.abi) WEIR_TRY(home->maps.write_meta(meta));
  WEIR_TRY(pin_maps(directory + "/maps_new", home->maps));
  home->beside = !none;
  if (none) WEIR_TRY(rename_pin(directory + "/maps_new", directory + "/maps"));
  return home;
}

Result<std::vector<std::string>> repin_maps(const std::string& directory, const MapSet& maps) {
  std::vector<std::string> again;
  WEIR_TRY(make_directory(directory + "/maps"));
  for (size_t i = 0; i < kMapCount; ++i) {
    const auto id = static_cast<MapId>(i);
    const std::string path = directory + "/maps/" + pin_name(id);
    if (pinned_map_id(path) == maps.info(id).id) continue;
    WEIR_TRY(pin(maps.fd(id), path));
    again.push_back(std::string("map ") + map_name(id));
  }
  return again;
}

}  // namespace weir::datapath
