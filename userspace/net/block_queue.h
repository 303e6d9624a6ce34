#pragma once
// Bytes waiting to be sent or handled: a chain of pooled 16 KiB blocks. A block never moves, so that the kernel can
// send from it while more is appended behind. An empty queue holds no block: 10,000 idle connections hold no buffers.
//
// One thread. Blocks go back to the pool they came from; the pool outlives its queues.

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir::net {

struct Block {
  static constexpr size_t kSize = 16384;
  static constexpr size_t kCapacity = kSize - sizeof(void*) - 2 * sizeof(uint32_t);

  Block* next;
  uint32_t begin, end;  // what of data is in use
  char data[kCapacity];
};
static_assert(sizeof(Block) == Block::kSize);

/// Last in, first out: the block that is handed out is the one whose pages and cache lines are warm.
class BlockPool {
 public:
  BlockPool() = default;
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// Empty. Never null (throws std::bad_alloc when memory is gone).
  Block* take();
  void give_back(Block* block);
  /// Handed out now.
  [[nodiscard]] size_t in_use() const { return in_use_; }

 private:
  static constexpr size_t kMaxFree = 256;  // 4 MiB
  Block* free_ = nullptr;
  size_t free_count_ = 0, in_use_ = 0;
};

class BlockQueue {
 public:
  explicit BlockQueue(BlockPool& pool) : pool_(&pool) {}
  ~BlockQueue() { clear(); }
  BlockQueue(BlockQueue&& other) noexcept;
  BlockQueue& operator=(BlockQueue&&) = delete;
  BlockQueue(const BlockQueue&) = delete;
  BlockQueue& operator=(const BlockQueue&) = delete;

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  void append(std::string_view bytes);
  /// The first piece; empty when the queue is.
  [[nodiscard]] std::string_view front() const;
  /// Fills `pieces` from the front; returns how many were filled.
  size_t gather(std::span<iovec> pieces) const;
  /// Precondition: count <= size().
  void consume(size_t count);
  void clear();

 private:
  BlockPool* pool_;
  Block* head_ = nullptr;
  Block* tail_ = nullptr;
  size_t size_ = 0;
};

}  // namespace weir::net
