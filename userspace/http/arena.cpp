#include "http/arena.h"

#include <algorithm>

#include "http/field.h"

namespace weir::http {
namespace {

// An ordinary head fits; a connection that never sends one pays nothing.
constexpr std::size_t kFirstBlock = 1024;
// One unusually large head must not cost its connection memory for good.
constexpr std::size_t kLargestKept = 16 * 1024;

}  // namespace

void Arena::append_lower(const char* bytes, std::size_t size) {
  if (size == 0) return;
  copy_lower(grow(size), bytes, size);
}

void Arena::add_block(std::size_t size) {
  const std::size_t token = token_size();
  const std::size_t last = blocks_.empty() ? kFirstBlock / 2 : blocks_.back().size;
  const std::size_t bytes = std::max(last * 2, token + size);
  blocks_.push_back({std::make_unique_for_overwrite<char[]>(bytes), bytes});
  char* data = blocks_.back().bytes.get();
  if (token != 0) std::memcpy(data, start_, token);
  start_ = data;
  cursor_ = data + token;
  limit_ = data + bytes;
}

void Arena::reset() {
  if (blocks_.empty()) return;
  if (blocks_.back().size > kLargestKept) return release();
  if (blocks_.size() > 1) blocks_.erase(blocks_.begin(), blocks_.end() - 1);
  start_ = cursor_ = blocks_.back().bytes.get();
  limit_ = start_ + blocks_.back().size;
}

void Arena::release() {
  blocks_.clear();
  blocks_.shrink_to_fit();
  start_ = cursor_ = limit_ = nullptr;
}

std::size_t Arena::capacity() const {
  std::size_t sum = 0;
  for (const Block& block : blocks_) sum += block.size;
  return sum;
}

}  // namespace weir::http
