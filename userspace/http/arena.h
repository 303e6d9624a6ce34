#pragma once
// Arena: the bytes behind the views of one message head. Views stay valid until reset(); the largest block is kept over
// reset() unless it is huge, so that a connection in its steady state allocates nothing.

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace weir::http {

/// Not thread-safe: one loop owns it.
class Arena {
 public:
  /// Copies `bytes`; the copy lives until reset().
  std::string_view copy(std::string_view bytes) {
    begin();
    append(bytes.data(), bytes.size());
    return end();
  }

  /// A token that arrives in pieces: begin(), append*() …, end(). One at a time.
  void begin() { start_ = cursor_; }
  void append(const char* bytes, std::size_t size) {
    if (size == 0) return;
    std::memcpy(grow(size), bytes, size);
  }
  /// As append(), with A-Z made lower case.
  void append_lower(const char* bytes, std::size_t size);
  [[nodiscard]] std::string_view token() const { return {start_, token_size()}; }
  [[nodiscard]] std::size_t token_size() const { return static_cast<std::size_t>(cursor_ - start_); }
  std::string_view end() {
    const std::string_view whole = token();
    start_ = cursor_;
    return whole;
  }
  /// Ends the token and forgets its bytes.
  void discard() { cursor_ = start_; }

  /// Invalidates every view.
  void reset();
  /// reset(), and gives the memory back: for a connection that falls idle.
  void release();
  [[nodiscard]] std::size_t capacity() const;

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };

  char* grow(std::size_t size) {
    if (size > static_cast<std::size_t>(limit_ - cursor_)) add_block(size);
    char* at = cursor_;
    cursor_ += size;
    return at;
  }
  void add_block(std::size_t size);

  std::vector<Block> blocks_;
  char* start_ = nullptr;
  char* cursor_ = nullptr;
  char* limit_ = nullptr;
};

}  // namespace weir::http
