#pragma once
// From a change of the folder to the kernel: read what changed, refuse the folder as a whole when it has errors, build
// the table, apply its plan. All or nothing: whatever fails, the last good configuration goes on.

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/node/source_tracker.h"
#include "agent/source/config_folder.h"
#include "agent/source/file_objects.h"
#include "agent/views/state.h"
#include "datapath/datapath.h"
#include "routing/build/table_builder.h"

namespace weir::agent {

/// What of the datapath the reconciler uses; tests put their own in its place.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual Result<datapath::ApplyReport> apply(const routing::Plan& plan) = 0;
  virtual Result<void> set_sources(std::span<const datapath::SourceEntry> sources) = 0;
};

/// What one turn did.
struct Outcome {
  enum class What {
    kUnchanged,  // the routing is the same
    kApplied,    // the kernel has a new generation
    kRefused,    // State::trouble says why; the last good configuration goes on
  };
  What what = What::kUnchanged;
  /// The table before, for telling what is new. Null at first.
  std::shared_ptr<const routing::Table> before;
  /// kRefused: this trouble is not the one that was there before.
  bool news = false;
  /// The trouble that was there is over.
  bool recovered = false;
};

/// One thread.
class Reconciler {
 public:
  using Clock = std::chrono::steady_clock;
  /// `first_generation`: the number that the first applied configuration gets, above those of agents before this one.
  Reconciler(std::string folder, routing::BuildOptions options, Kernel& kernel, uint64_t first_generation);

  Outcome take(const FolderChange& change, const ConfigFolder::BeingWritten& being_written);
  /// Replaces the list. A change makes a new generation, which writes nothing where no rule tells these pods apart.
  Outcome set_local_pods(std::vector<LocalPod> pods);
  /// What the node is to those outside; a change makes a new generation. Before the first take(): part of that.
  Outcome set_outside(routing::Outside outside);
  /// What the names of endpoints stand for; a change makes a new generation.
  Outcome set_resolved_names(routing::ResolvedNames names);
  /// As last set.
  [[nodiscard]] const routing::ResolvedNames& resolved_names() const { return resolved_names_; }
  /// Tries again what the kernel refused; kUnchanged when there is nothing of the kind.
  Outcome retry();

  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] State& state() { return state_; }
  [[nodiscard]] const ConfigFolder& folder() const { return folder_; }
  [[nodiscard]] ConfigFolder& folder() { return folder_; }
  /// Of which the last table was built, whether the kernel took it or not.
  [[nodiscard]] FileObjects& files() { return files_; }

 private:
  Outcome refuse(Trouble::Kind kind, std::string summary, config::Diagnostics errors);
  Outcome build_and_apply();
  Outcome apply(std::shared_ptr<const routing::Table> table);
  Result<void> apply_sources(const routing::Plan& plan);

  ConfigFolder folder_;
  FileObjects files_;
  routing::TableBuilder builder_;
  Kernel& kernel_;
  State state_;
  uint64_t next_generation_;
  std::shared_ptr<const routing::Table> refused_;  // by the kernel
  std::vector<LocalPod> pods_;
  bool pods_changed_ = false;
  std::optional<routing::Outside> outside_;
  routing::ResolvedNames resolved_names_;
  std::vector<datapath::SourceEntry> sources_;  // as last told to the kernel
};

}  // namespace weir::agent
