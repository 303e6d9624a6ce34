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

/// One split's place. Any thread.
class Cursor {
 public:
  /// `phase`: of the split on this node; every split has an order of its own.
  explicit Cursor(uint64_t phase) : phase_(phase) {}

  /// The number of the next pick.
  uint64_t next() { return value_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t phase() const { return phase_; }
  /// From which number on these weights hold: picks are numbered from there, so that each set of weights begins exact.
  /// `weights`: any hash of them.
  uint64_t start_of(uint64_t weights);

 private:
  std::atomic<uint64_t> value_{0};
  uint64_t phase_;
  std::mutex mutex_;
  uint64_t weights_ = 0, start_ = 0;
};

/// Any thread.
class Cursors {
 public:
  /// `node`: this node's name. A cursor's phase is the hash of node and split (design section 4).
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
