#pragma once
// From what the user wrote to what it means: the only part of routing that reads whole configurations.
// Pure: no I/O, clock, dice or logging.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/store.h"
#include "routing/options.h"
#include "routing/table.h"

namespace weir::routing {

/// What names of endpoints stand for, as somebody has looked them up: lower case, without a dot at the end.
using ResolvedNames = std::map<std::string, std::vector<IpAddress>, std::less<>>;

/// Keeps the indexes that make a small change cheap: after the first build, update() costs in proportion to what the
/// delta touches (one VirtualService of 10'000: well under a millisecond of work), and gives the same table as a build
/// from nothing (tested against each other). Not thread-safe; the tables it returns are immutable and safe to share.
class TableBuilder {
 public:
  explicit TableBuilder(BuildOptions options);
  ~TableBuilder();
  TableBuilder(TableBuilder&&) noexcept;
  TableBuilder& operator=(TableBuilder&&) noexcept;

  /// `delta`: all that Store::set and remove returned since the last call; the first call passes every object as added.
  std::shared_ptr<const Table> update(const config::MeshConfig& mesh, const config::Delta& delta);

  /// Pods of this node whose network namespace is known, so that rules by source can be applied to them. The next
  /// update() (an empty delta will do) takes it up.
  void set_local_pods(std::vector<NodePod> pods);
  /// Services are served to whom is outside this node, too. The next update() takes it up.
  void set_outside(Outside outside);
  /// Addresses of Table::endpoint_names; what is not there has none. The next update() takes it up.
  void set_resolved_names(ResolvedNames names);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A table in one go.
std::shared_ptr<const Table> build_table(const config::Store& store, const BuildOptions& options = {});

}  // namespace weir::routing
