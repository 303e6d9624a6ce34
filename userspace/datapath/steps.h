#pragma once
// Every step that changes something in the kernel has a name, so that a test can die between any two and see what the
// next start makes of it. Costs one look at a pointer otherwise.

#include <string_view>

namespace weir::datapath {

using StepWatcher = void (*)(std::string_view step);
/// For tests only; null: nobody watches.
inline StepWatcher step_watcher = nullptr;

/// About to take `step`.
inline void before_step(std::string_view step) {
  if (step_watcher != nullptr) step_watcher(step);
}

}  // namespace weir::datapath
