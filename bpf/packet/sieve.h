/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What tells most packets of others from ours at one look: a byte for each of many hashes of address, port and
 * protocol, set for good once a frontend, or an endpoint of a flow, was there. Where it is 0, no table need be asked;
 * where it is not, they are. User space marks frontends, the programs mark what flows come to. */
#ifndef WEIR_BPF_PACKET_SIEVE_H
#define WEIR_BPF_PACKET_SIEVE_H

#include "../abi.h"

#ifdef __cplusplus
namespace weir::abi {
#endif

enum { SIEVE_BITS = 18, SIEVE_SLOTS = 1 << SIEVE_BITS };

struct sieve {
  __u8 seen[SIEVE_SLOTS];
};

/* `address`: four words in network order, `port` too. */
WEIR_INLINE __u32 sieve_slot(const __be32* address, __be16 port, __u8 protocol) {
  const __u64 high = ((__u64)address[0] << 32 | address[1]) * 0x9E3779B97F4A7C15ULL;
  const __u64 low = ((__u64)address[3] << 32 | (__u32)port << 16 | protocol) ^ address[2];
  return (__u32)((high ^ low) * 0xD6E8FEB86659FD93ULL >> (64 - SIEVE_BITS));
}

#ifdef __cplusplus
}  // namespace weir::abi
#endif

#endif
