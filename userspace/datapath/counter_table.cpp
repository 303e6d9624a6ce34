#include "datapath/counter_table.h"

#include <arpa/inet.h>

#include <cstring>

#include "datapath/id_allocator.h"

namespace weir::datapath {

size_t CounterIdentityHash::operator()(const CounterIdentity& identity) const noexcept {
  uint64_t high = 0, low = 0;
  std::memcpy(&high, identity.address.bytes().data(), 8);
  std::memcpy(&low, identity.address.bytes().data() + 8, 8);
  uint64_t hash = identity.split_key ^ (uint64_t{identity.destination_key} << 16 | identity.port);
  for (const uint64_t word : {high, low}) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

CounterIdentity identity_of(const abi::counter& counter) {
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), counter.address, bytes.size());
  return {counter.split_key, counter.destination_key, ntohs(counter.port), IpAddress(bytes)};
}

CounterTable::CounterTable(std::span<abi::counter> memory) : memory_(memory) {
  rebuild();
}

void CounterTable::rebuild() {
  by_identity_.clear();
  free_.clear();
  retired_.clear();
  uses_.assign(memory_.size(), 0);
  for (size_t id = memory_.size(); id-- > 1;) {
    const abi::counter& counter = memory_[id];
    if (counter.split_key == 0) {
      free_.push_back(static_cast<uint32_t>(id));
    } else if (by_identity_.emplace(identity_of(counter), id).second) {
      retired_.push_back({static_cast<uint32_t>(id), 0});
    }
    // A second counter of one identity (scribbled over) stays unused until the next start.
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
    const abi::counter& counter = memory_[oldest.id];
    const auto known = by_identity_.find(identity_of(counter));
    if (known == by_identity_.end() || known->second != oldest.id) continue;
    if (counter.opened != counter.closed) {
      retired_.push_back({oldest.id, now_ns});
      continue;
    }
    by_identity_.erase(known);
    return oldest.id;
  }
  return 0;
}

CounterTable::Found CounterTable::find(const CounterIdentity& identity, uint64_t now_ns) {
  if (const auto known = by_identity_.find(identity); known != by_identity_.end()) return {known->second, false};
  const uint32_t id = free_place(now_ns);
  if (id == 0) return {};
  by_identity_.emplace(identity, id);
  return {id, true};
}

void CounterTable::forget(const CounterIdentity& identity) {
  const auto known = by_identity_.find(identity);
  if (known == by_identity_.end()) return;
  free_.push_back(known->second);
  by_identity_.erase(known);
}

void CounterTable::use(uint32_t id) {
  if (id != 0 && id < uses_.size()) ++uses_[id];
}

void CounterTable::release(uint32_t id, uint64_t now_ns) {
  if (id == 0 || id >= uses_.size() || uses_[id] == 0) return;
  if (--uses_[id] == 0) retired_.push_back({id, now_ns});
}

}  // namespace weir::datapath
