#pragma once
// -w: show again and again until interrupted.

#include <functional>

#include "cli/context.h"

namespace weir::cli {

/// Calls `show` once; with -w, once a second until it fails or SIGINT: on a terminal over the last picture, else only
/// when its text changed. Returns the last call's exit code.
int show_or_watch(Context& context, const std::function<int(Context& context)>& show);

}  // namespace weir::cli
