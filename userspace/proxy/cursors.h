#pragma once
// The cursors of all splits of this process, by name: they outlive the routes that use them, so that a change of weight
// or of the table goes on where the last pick was.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace weir::proxy {

/// One split's place; any thread may advance it.
using Cursor = std::atomic<uint64_t>;

/// Any thread.
class Cursors {
 public:
  /// `node`: this node's name. A new cursor starts at a phase of its own, the hash of node and split (design section
  /// 4).
  explicit Cursors(std::string node) : node_(std::move(node)) {}

  /// The cursor of that split, made if need be.
  std::shared_ptr<Cursor> get(std::string_view split);
  /// Forgets cursors that nobody holds.
  void sweep();

 private:
  std::string node_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Cursor>, std::less<>> cursors_;
};

}  // namespace weir::proxy
