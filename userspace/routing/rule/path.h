#pragma once
// Request paths in the one form that is matched and sent on (istio-facts 39; Istio's MeshConfig pathNormalization).

#include <optional>
#include <string>
#include <string_view>

#include "config/model.h"

namespace weir::routing {

/// Normalises a request target (path and query; the query stays as it is, a fragment is cut off).
///
/// BASE resolves "." and ".." segments (also as %2e, also with path parameters: "/..;x/a" is "/a"), turns "\" into "/",
/// decodes escaped unreserved characters, escapes what may not stand in a path, and keeps "//", %2F, %5C and bad
/// escapes. MERGE_SLASHES merges "//" as well; DECODE_AND_MERGE_SLASHES decodes %2F and %5C before all that. NONE only
/// cuts the fragment.
///
/// Nothing: the path holds %00 or a NUL byte (not under NONE); the answer is 400.
///
/// A target that is in that form already is returned as it is, without a copy; otherwise the result is built in
/// `buffer`, which must outlive it. Any thread.
std::optional<std::string_view> normalise_target(std::string_view target, config::MeshConfig::PathNormalization mode,
                                                 std::string& buffer);

}  // namespace weir::routing
