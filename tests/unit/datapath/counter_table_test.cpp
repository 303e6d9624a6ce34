#include "datapath/counter_table.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

#include "datapath/id_allocator.h"

namespace weir::datapath {
namespace {

constexpr uint64_t kRest = RangeAllocator::kRestNs;

CounterIdentity identity(uint64_t split, uint16_t port = 80) {
  return {split, 7, port, *IpAddress::parse("10.0.0.1")};
}

void write(std::vector<abi::counter>& memory, uint32_t id, const CounterIdentity& who) {
  memory[id] = {};
  memory[id].split_key = who.split_key;
  memory[id].destination_key = who.destination_key;
  memory[id].port = htons(who.port);
  std::memcpy(memory[id].address, who.address.bytes().data(), 16);
}

TEST(CounterTable, OneIdentityOneCounter) {
  std::vector<abi::counter> memory(10);
  CounterTable table(memory);
  const auto first = table.find(identity(1), 0), again = table.find(identity(1), 0),
             other = table.find(identity(1, 81), 0);
  EXPECT_TRUE(first.fresh);
  EXPECT_FALSE(again.fresh);
  EXPECT_EQ(first.id, again.id);
  EXPECT_NE(first.id, other.id);
  EXPECT_NE(first.id, 0U);
  EXPECT_EQ(table.known(), 2U);
}

TEST(CounterTable, FoundAgainInMemory) {
  std::vector<abi::counter> memory(10);
  uint32_t id = 0;
  {
    CounterTable table(memory);
    id = table.find(identity(5), 0).id;
    write(memory, id, identity(5));
    memory[id].picked = 44;
  }
  CounterTable table(memory);
  const auto found = table.find(identity(5), 0);
  EXPECT_EQ(found.id, id);
  EXPECT_FALSE(found.fresh);
  EXPECT_EQ(identity_of(memory[id]), identity(5));
}

TEST(CounterTable, FullGivesTheSharedOne) {
  std::vector<abi::counter> memory(3);
  CounterTable table(memory);
  for (uint64_t i = 1; i <= 2; ++i) table.use(table.find(identity(i), 0).id);
  EXPECT_EQ(table.find(identity(3), 10 * kRest).id, 0U);
}

TEST(CounterTable, ARetiredPlaceIsTakenOnlyWhenClosedAndRested) {
  std::vector<abi::counter> memory(2);
  CounterTable table(memory);
  const uint32_t id = table.find(identity(1), 0).id;
  write(memory, id, identity(1));
  table.use(id);
  memory[id].opened = 3;
  memory[id].closed = 2;
  table.release(id, 100);
  EXPECT_EQ(table.find(identity(2), 100 + kRest - 1).id, 0U) << "a program may still be using it";
  EXPECT_EQ(table.find(identity(2), 100 + kRest).id, 0U) << "a connection is open";
  memory[id].closed = 3;
  const auto found = table.find(identity(2), 200 + 2 * kRest);
  EXPECT_EQ(found.id, id);
  EXPECT_TRUE(found.fresh);
  EXPECT_EQ(table.known(), 1U) << "the old identity is forgotten";
}

TEST(CounterTable, BackToLifeIsNotTaken) {
  std::vector<abi::counter> memory(2);
  CounterTable table(memory);
  const uint32_t id = table.find(identity(1), 0).id;
  write(memory, id, identity(1));
  table.use(id);
  table.release(id, 0);
  table.use(table.find(identity(1), 1).id);
  EXPECT_EQ(table.find(identity(2), 10 * kRest).id, 0U);
  EXPECT_TRUE(table.in_use(id));
}

TEST(CounterTable, ForgetUndoesAFreshFind) {
  std::vector<abi::counter> memory(2);
  CounterTable table(memory);
  table.find(identity(1), 0);
  table.forget(identity(1));
  table.forget(identity(9));
  EXPECT_TRUE(table.find(identity(2), 0).fresh);
}

TEST(CounterTable, OutOfBoundsIsIgnored) {
  std::vector<abi::counter> memory(2);
  CounterTable table(memory);
  table.use(0);
  table.use(99);
  table.release(99, 0);
  table.release(1, 0);  // never used
  EXPECT_FALSE(table.in_use(99));
  EXPECT_FALSE(table.in_use(0));
  CounterTable empty(std::span<abi::counter>{});
  EXPECT_EQ(empty.find(identity(1), 0).id, 0U);
}

TEST(CounterTable, TwoOfOneIdentityInMemory) {
  std::vector<abi::counter> memory(4);
  write(memory, 1, identity(1));
  write(memory, 2, identity(1));
  CounterTable table(memory);
  EXPECT_EQ(table.known(), 1U);
  EXPECT_NE(table.find(identity(1), 0).id, 0U);
}

TEST(CounterTable, AgainstAMap) {
  std::mt19937 random(5);
  std::vector<abi::counter> memory(300);
  CounterTable table(memory);
  std::map<uint64_t, uint32_t> model;
  for (int step = 0; step < 20000; ++step) {
    const uint64_t key = 1 + random() % 400;
    if (random() % 3 != 0) {
      const auto found = table.find(identity(key), 0);
      if (const auto known = model.find(key); known != model.end()) {
        ASSERT_EQ(found.id, known->second);
      } else if (found.id != 0) {
        ASSERT_TRUE(found.fresh);
        model[key] = found.id;
      } else {
        ASSERT_EQ(model.size(), 299U);
      }
    } else if (model.contains(key)) {
      table.forget(identity(key));
      model.erase(key);
    }
    ASSERT_EQ(table.known(), model.size());
  }
}

}  // namespace
}  // namespace weir::datapath
