#pragma once
// The proxy's own copy of the configuration, kept as the agent keeps its: file by file, and a table that costs what
// changed. The agent has read and accepted every file already and gives the objects in their binary form; what this
// build of the proxy cannot read (it may be older) is refused as a whole, and the last good table goes on.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/store.h"
#include "proxy/snapshot.h"
#include "proxy_process/protocol.h"
#include "routing/build/table_builder.h"

namespace weir::proxy_process {

/// One thread.
class ConfigurationKeeper {
 public:
  explicit ConfigurationKeeper(std::shared_ptr<proxy::SharedState> shared) : shared_(std::move(shared)) {}

  /// The snapshot of what holds after `change`. An error: nothing has changed; the next one must be full.
  Result<std::shared_ptr<const proxy::Snapshot>> take(const Configuration& change);

  /// Of the last snapshot; 0 before the first.
  [[nodiscard]] uint64_t generation() const { return generation_; }

 private:
  struct Kept {
    config::Store store;
    std::unique_ptr<routing::TableBuilder> builder;
    routing::BuildOptions options;
    std::map<std::string, uint64_t> hashes;           // of what each file was given as
    std::shared_ptr<const proxy::Snapshot> snapshot;  // the last one; its lists are taken over
  };
  Result<void> update_files(const Configuration& change, config::Delta& delta);

  std::shared_ptr<proxy::SharedState> shared_;
  std::optional<Kept> kept_;
  uint64_t generation_ = 0;
};

}  // namespace weir::proxy_process
