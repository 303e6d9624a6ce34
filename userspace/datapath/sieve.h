#pragma once
// The packet programs' sieve (bpf/packet/sieve.h), from user space.

#include <cstdint>
#include <utility>

#include "base/ip_address.h"
#include "base/result.h"
#include "datapath/bpf_map.h"

namespace weir::datapath {

class Sieve {
 public:
  Sieve() = default;
  /// `fd`: of the map north_sieve.
  static Result<Sieve> open(int fd);
  /// For good. Takes effect with the next packet. Precondition: from open().
  void mark(const IpAddress& address, uint16_t port, uint8_t protocol);

 private:
  explicit Sieve(Mapping memory) : memory_(std::move(memory)) {}
  Mapping memory_;
};

}  // namespace weir::datapath
