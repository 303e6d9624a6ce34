#include "proxy/cursors.h"

#include "base/hash.h"

namespace weir::proxy {

uint64_t Cursor::start_of(uint64_t weights) {
  const std::lock_guard guard(mutex_);
  if (weights != weights_) {
    weights_ = weights;
    start_ = value_.load(std::memory_order_relaxed);
  }
  return start_;
}

std::shared_ptr<Cursor> Cursors::get(std::string_view split) {
  const std::lock_guard guard(mutex_);
  const auto found = cursors_.find(split);
  if (found != cursors_.end()) return found->second;
  const uint64_t phase = hash64(split, hash64(node_));
  return cursors_.emplace(std::string(split), std::make_shared<Cursor>(phase)).first->second;
}

void Cursors::sweep() {
  const std::lock_guard guard(mutex_);
  std::erase_if(cursors_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

}  // namespace weir::proxy
