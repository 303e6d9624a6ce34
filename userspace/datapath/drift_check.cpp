#include "datapath/drift_check.h"

#include <cerrno>

#include "datapath/map_diff.h"
#include "datapath/map_set.h"
#include "datapath/map_state.h"

namespace weir::datapath {

Result<bool> DriftCheck::finds_nothing() const {
  auto pinned = MapSet::open(maps_dir, &sizes, false);
  if (!pinned) return std::move(pinned).error();
  if (pinned->state != PinnedMaps::State::kUsable)
    return Error{maps_dir + ": " + (pinned->why.empty() ? "no maps are pinned" : pinned->why), ENOENT};
  const MapSet& maps = *pinned->maps;
  const auto frontends = maps.frontends().read_all();
  if (!frontends) return frontends.error();
  const auto splits = maps.splits().read_all();
  if (!splits) return splits.error();
  MapState state(maps.memory(), sizes.frontends, sizes.splits, node_phase);
  state.rebuild(*frontends, *splits);
  const auto wanted = want_all(services, &ports);
  if (!wanted) return wanted.error();
  const auto changes = diff(state, wanted->wanted, generation, 0);
  if (!changes) return changes.error();
  return changes->operations() == 0;
}

}  // namespace weir::datapath
