#include "net/block_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace weir::net {
namespace {

std::string text(size_t size) {
  std::string bytes(size, '\0');
  for (size_t index = 0; index < size; ++index) bytes[index] = static_cast<char>('a' + index % 23);
  return bytes;
}

std::string drain(BlockQueue& queue, size_t step) {
  std::string all;
  while (!queue.empty()) {
    const auto piece = queue.front().substr(0, step);
    all += piece;
    queue.consume(piece.size());
  }
  return all;
}

TEST(BlockQueue, EmptyHoldsNoBlock) {
  BlockPool pool;
  BlockQueue queue(pool);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.front(), "");
  queue.append("");
  EXPECT_EQ(pool.in_use(), 0U);
  queue.append("x");
  EXPECT_EQ(pool.in_use(), 1U);
  queue.consume(1);
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(BlockQueue, BytesComeOutAsTheyWentIn) {
  const std::string all = text(100'000);
  for (const size_t piece : {1UL, 7UL, 4096UL, 16384UL, 100'000UL}) {
    BlockPool pool;
    BlockQueue queue(pool);
    for (size_t at = 0; at < all.size(); at += piece) queue.append(std::string_view(all).substr(at, piece));
    EXPECT_EQ(queue.size(), all.size());
    EXPECT_EQ(drain(queue, piece), all) << piece;
    EXPECT_EQ(pool.in_use(), 0U);
  }
}

TEST(BlockQueue, GatherNamesPiecesInOrder) {
  const std::string all = text(40'000);
  BlockPool pool;
  BlockQueue queue(pool);
  queue.append(all);
  queue.consume(5);
  std::array<iovec, 2> two{};
  ASSERT_EQ(queue.gather(two), 2U);
  EXPECT_EQ(std::string_view(static_cast<char*>(two[0].iov_base), two[0].iov_len),
            std::string_view(all).substr(5, two[0].iov_len));
  std::array<iovec, 8> more{};
  EXPECT_EQ(queue.gather(more), 3U);
}

TEST(BlockQueue, AppendedBytesDoNotMoveThoseBefore) {
  BlockPool pool;
  BlockQueue queue(pool);
  queue.append("first");
  const char* at = queue.front().data();
  queue.append(text(50'000));
  EXPECT_EQ(queue.front().data(), at);
}

TEST(BlockQueue, MovedQueueTakesTheBytes) {
  BlockPool pool;
  BlockQueue queue(pool);
  queue.append("bytes");
  BlockQueue other(std::move(queue));
  EXPECT_EQ(other.front(), "bytes");
  EXPECT_EQ(pool.in_use(), 1U);
}

TEST(BlockPool, HandsOutTheWarmestBlock) {
  BlockPool pool;
  Block* first = pool.take();
  Block* second = pool.take();
  pool.give_back(first);
  pool.give_back(second);
  EXPECT_EQ(pool.take(), second);
  EXPECT_EQ(pool.take(), first);
  pool.give_back(first);
  pool.give_back(second);
}

}  // namespace
}  // namespace weir::net
