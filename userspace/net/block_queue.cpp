#include "net/block_queue.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <memory>
#include <utility>

namespace weir::net {

BlockPool::~BlockPool() {
  while (free_ != nullptr) {
    const std::unique_ptr<Block> block(std::exchange(free_, free_->next));
  }
}

Block* BlockPool::take() {
  Block* block = free_;
  if (block != nullptr) {
    free_ = block->next;
    --free_count_;
  } else {
    block = std::make_unique_for_overwrite<Block>().release();
  }
  block->next = nullptr;
  block->begin = block->end = 0;
  ++in_use_;
  return block;
}

void BlockPool::give_back(Block* block) {
  --in_use_;
  if (free_count_ >= kMaxFree) {
    const std::unique_ptr<Block> surplus(block);
    return;
  }
  block->next = free_;
  free_ = block;
  ++free_count_;
}

BlockQueue::BlockQueue(BlockQueue&& other) noexcept
    : pool_(other.pool_),
      head_(std::exchange(other.head_, nullptr)),
      tail_(std::exchange(other.tail_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

void BlockQueue::append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (tail_ == nullptr || tail_->end == Block::kCapacity) {
      Block* block = pool_->take();
      (tail_ == nullptr ? head_ : tail_->next) = block;
      tail_ = block;
    }
    const size_t count = std::min(bytes.size(), Block::kCapacity - tail_->end);
    std::memcpy(tail_->data + tail_->end, bytes.data(), count);
    tail_->end += static_cast<uint32_t>(count);
    size_ += count;
    bytes.remove_prefix(count);
  }
}

std::string_view BlockQueue::front() const {
  if (head_ == nullptr) return {};
  return {head_->data + head_->begin, head_->end - head_->begin};
}

size_t BlockQueue::gather(std::span<iovec> pieces) const {
  size_t count = 0;
  for (Block* block = head_; block != nullptr && count < pieces.size(); block = block->next) {
    pieces[count++] = {block->data + block->begin, block->end - block->begin};
  }
  return count;
}

void BlockQueue::consume(size_t count) {
  assert(count <= size_);
  size_ -= count;
  while (count > 0) {
    const size_t here = std::min<size_t>(count, head_->end - head_->begin);
    head_->begin += static_cast<uint32_t>(here);
    count -= here;
    if (head_->begin < head_->end) return;
    Block* used = std::exchange(head_, head_->next);
    if (head_ == nullptr) tail_ = nullptr;
    pool_->give_back(used);
  }
}

void BlockQueue::clear() {
  consume(size_);
}

}  // namespace weir::net
