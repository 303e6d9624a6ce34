#pragma once
// Consistent hashing: keys to endpoints such that an endpoint that comes or goes moves only its own share of the keys.
// Both kinds depend on the endpoints' addresses and weights alone: the same on every node. Pure; immutable; any thread.

#include <cstdint>
#include <span>
#include <vector>

#include "proxy/split.h"

namespace weir::proxy {

class HashTable {
 public:
  /// Each endpoint at several places of a ring, by its weight; `size` places or a little more. Precondition: at least
  /// one endpoint, `size` > 0.
  static HashTable ring(std::span<const WeightedEndpoint> endpoints, uint64_t size);
  /// Maglev (Eisenbud et al., NSDI 2016): a table of `size` slots, a prime, filled in turns. The same preconditions.
  static HashTable maglev(std::span<const WeightedEndpoint> endpoints, uint64_t size);

  /// Index of the key's endpoint. `attempt` above 0: another one, which may be the same by chance; the one that the key
  /// would have without the one before where the table is a ring.
  [[nodiscard]] uint32_t find(uint64_t key, uint32_t attempt = 0) const;
  [[nodiscard]] size_t size() const { return slots_.size(); }

 private:
  std::vector<uint32_t> points_;  // of a ring, sorted; empty: maglev
  std::vector<uint32_t> slots_;   // endpoints
};

}  // namespace weir::proxy
