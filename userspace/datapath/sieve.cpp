#include "datapath/sieve.h"

#include <arpa/inet.h>

#include <cstring>

#include "bpf/packet/sieve.h"

namespace weir::datapath {

Result<Sieve> Sieve::open(int fd) {
  auto memory = Mapping::map(fd, "north_sieve", sizeof(abi::sieve), true);
  if (!memory) return std::move(memory).error();
  return Sieve(*std::move(memory));
}

void Sieve::mark(const IpAddress& address, uint16_t port, uint8_t protocol) {
  uint32_t words[4];
  std::memcpy(words, address.bytes().data(), sizeof(words));
  memory_.as<uint8_t>()[abi::sieve_slot(words, htons(port), protocol)] = 1;
}

}  // namespace weir::datapath
