#pragma once
// From descriptors of maps to values for a reader.

#include <string>
#include <vector>

#include "base/result.h"
#include "datapath/map_set.h"
#include "datapath/maps_view.h"

namespace weir::datapath {

Result<MapsView> view_maps(const MapSet& maps);

}  // namespace weir::datapath
