#pragma once
// Who counts where: one counter for each (split, destination, address, port), found again after every change and
// restart because the identity stands in the counter itself. A counter whose endpoint is gone keeps its numbers until
// its place is needed.

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/ip_address.h"
#include "bpf/abi.h"

namespace weir::datapath {

struct CounterIdentity {
  uint64_t split_key = 0;
  uint32_t destination_key = 0;
  uint16_t port = 0;
  IpAddress address;
  bool operator==(const CounterIdentity&) const = default;
};

/// 64 good bits: two identities of one hash would share a counter, which nobody will live to see.
uint64_t hash_of(const CounterIdentity& identity);
CounterIdentity identity_of(const abi::counter& counter);

class CounterTable {
 public:
  /// The memory of the `counters` map (or, in a test, plain memory); outlives this object. Entry 0 is the shared one.
  explicit CounterTable(std::span<abi::counter> memory);

  /// Reads identities from memory; none is in use yet.
  void rebuild();

  struct Found {
    uint32_t id = 0;     // 0: no room; the shared counter
    bool fresh = false;  // to be written with its identity before an endpoint names it
  };
  /// The counter of `identity`, a new one if it has none. Not in use until use().
  Found find(const CounterIdentity& identity, uint64_t now_ns);
  /// Takes back a fresh find() that nobody used.
  void forget(const CounterIdentity& identity);
  /// One more or one fewer endpoint names `id`; out of bounds and 0 are ignored.
  void use(uint32_t id);
  void release(uint32_t id, uint64_t now_ns);
  [[nodiscard]] bool in_use(uint32_t id) const { return id < uses_.size() && uses_[id] > 0; }
  /// Counters with an identity.
  [[nodiscard]] size_t known() const { return known_; }

 private:
  struct Retired {
    uint32_t id;
    uint64_t since_ns;
  };
  uint32_t free_place(uint64_t now_ns);
  /// Where in slots_ the counter with this hash is, or where it would go.
  [[nodiscard]] size_t slot_of(uint64_t hash) const;
  /// `slot` is slot_of(hash), empty.
  void insert(size_t slot, uint64_t hash, uint32_t id);
  void erase(uint64_t hash);

  std::span<abi::counter> memory_;
  // An open table of ids (0: empty), half full at most: a hundred thousand identities without as many allocations.
  std::vector<uint32_t> slots_;
  std::vector<uint64_t> hashes_;  // by id; 0: no identity
  size_t known_ = 0;
  std::vector<uint32_t> uses_;   // endpoints that name the counter
  std::vector<uint32_t> free_;   // without identity, highest first
  std::deque<Retired> retired_;  // with identity, not in use when they were put here
};

}  // namespace weir::datapath
