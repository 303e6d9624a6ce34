#include "datapath/counter_table.h"

#include <arpa/inet.h>

#include <bit>
#include <cstring>

#include "datapath/id_allocator.h"

namespace weir::datapath {

uint64_t hash_of(const CounterIdentity& identity) {
  uint64_t high = 0, low = 0;
  std::memcpy(&high, identity.address.bytes().data(), 8);
  std::memcpy(&low, identity.address.bytes().data() + 8, 8);
  uint64_t hash = identity.split_key;
  for (const uint64_t word : {uint64_t{identity.destination_key} << 16 | identity.port, high, low}) {
    hash = (hash ^ word) * 0xbf58476d1ce4e5b9ULL;
    hash ^= hash >> 30;
    hash *= 0x94d049bb133111ebULL;
    hash ^= hash >> 31;
  }
  return hash != 0 ? hash : 1;
}

CounterIdentity identity_of(const abi::counter& counter) {
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), counter.address, bytes.size());
  return {counter.split_key, counter.destination_key, ntohs(counter.port), IpAddress(bytes)};
}

CounterTable::CounterTable(std::span<abi::counter> memory) : memory_(memory) {
  rebuild();
}

size_t CounterTable::slot_of(uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  while (slots_[slot] != 0 && hashes_[slots_[slot]] != hash) slot = (slot + 1) & mask;
  return slot;
}

void CounterTable::insert(size_t slot, uint64_t hash, uint32_t id) {
  slots_[slot] = id;
  hashes_[id] = hash;
  ++known_;
}

void CounterTable::erase(uint64_t hash) {
  const size_t mask = slots_.size() - 1;
  size_t hole = slot_of(hash);
  if (slots_[hole] == 0) return;
  hashes_[slots_[hole]] = 0;
  --known_;
  // Move back what had to pass over the hole, so that no search ends at it.
  for (size_t slot = (hole + 1) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const size_t home = hashes_[slots_[slot]] & mask;
    if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
    slots_[hole] = slots_[slot];
    hole = slot;
  }
  slots_[hole] = 0;
}

void CounterTable::rebuild() {
  slots_.assign(std::bit_ceil(2 * memory_.size() + 2), 0);
  hashes_.assign(memory_.size(), 0);
  uses_.assign(memory_.size(), 0);
  known_ = 0;
  free_.clear();
  retired_.clear();
  for (size_t id = memory_.size(); id-- > 1;) {
    const abi::counter& counter = memory_[id];
    if (counter.split_key == 0) {
      free_.push_back(static_cast<uint32_t>(id));
      continue;
    }
    const uint64_t hash = hash_of(identity_of(counter));
    // A second counter of one identity (scribbled over) stays unused until the next start.
    const size_t slot = slot_of(hash);
    if (slots_[slot] != 0) continue;
    insert(slot, hash, static_cast<uint32_t>(id));
    retired_.push_back({static_cast<uint32_t>(id), 0});
  }
}

uint32_t CounterTable::free_place(uint64_t now_ns) {
  if (!free_.empty()) {
    const uint32_t id = free_.back();
    free_.pop_back();
    return id;
  }
  // The oldest retired counter that programs cannot see any more and all of whose connections are closed. Each is
  // looked at once.
  for (size_t left = retired_.size(); left > 0; --left) {
    const Retired oldest = retired_.front();
    if (!in_use(oldest.id) && now_ns < oldest.since_ns + RangeAllocator::kRestNs) return 0;
    retired_.pop_front();
    if (in_use(oldest.id)) continue;  // came back to life; release() will put it here again
    if (hashes_[oldest.id] == 0) continue;
    const abi::counter& counter = memory_[oldest.id];
    if (counter.opened != counter.closed) {
      retired_.push_back({oldest.id, now_ns});
      continue;
    }
    erase(hashes_[oldest.id]);
    return oldest.id;
  }
  return 0;
}

CounterTable::Found CounterTable::find(const CounterIdentity& identity, uint64_t now_ns) {
  const uint64_t hash = hash_of(identity);
  size_t slot = slot_of(hash);
  if (slots_[slot] != 0) return {slots_[slot], false};
  const bool recycles = free_.empty();
  const uint32_t id = free_place(now_ns);
  if (id == 0) return {};
  if (recycles) slot = slot_of(hash);  // places have moved
  insert(slot, hash, id);
  return {id, true};
}

void CounterTable::forget(const CounterIdentity& identity) {
  const uint64_t hash = hash_of(identity);
  const uint32_t id = slots_[slot_of(hash)];
  if (id == 0) return;
  erase(hash);
  free_.push_back(id);
}

void CounterTable::use(uint32_t id) {
  if (id != 0 && id < uses_.size()) ++uses_[id];
}

void CounterTable::release(uint32_t id, uint64_t now_ns) {
  if (id == 0 || id >= uses_.size() || uses_[id] == 0) return;
  if (--uses_[id] == 0) retired_.push_back({id, now_ns});
}

}  // namespace weir::datapath
