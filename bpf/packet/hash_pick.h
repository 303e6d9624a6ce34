/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A pick that needs no number: by a hash of whatever tells clients apart. The same hash gets the same endpoint for as
 * long as the split and its endpoints stay; over many hashes each destination gets its share. */
#ifndef WEIR_BPF_PACKET_HASH_PICK_H
#define WEIR_BPF_PACKET_HASH_PICK_H

#include "../pick.h"

#ifdef __cplusplus
namespace weir::abi {
#endif

/* 64 bits of a connection's tuple, as words. */
WEIR_INLINE __u64 hash_words(const __u32* words, int count) {
  __u64 hash = 0x9E3779B97F4A7C15ULL;
  for (int i = 0; i < count; i++) {
    hash = (hash ^ words[i]) * 0xD6E8FEB86659FD93ULL;
    hash ^= hash >> 32;
  }
  return hash;
}

/* The destination at `hash`; its endpoint is then pick_endpoint()'s. */
WEIR_INLINE void pick_destination_by_hash(const struct split* split, __u64 hash, struct pick_place* place) {
  const __u32 point = pick_hash(split->phase, hash);
  place->found = 0;
  __u32 node = 0;
  for (__u32 i = 0; i < MAX_DESTINATIONS; i++) {
    if (i >= split->destination_count) return;
    node = i;
    if (point <= split->destinations[i].last) break;
  }
  const struct split_destination* destination = &split->destinations[node];
  place->first = destination->first;
  place->count = destination->count;
  place->flags = destination->flags;
  place->turn = (__u32)hash;
  place->phase = split->phase ^ destination->key;
  place->found = 1;
}

#ifdef __cplusplus
}  // namespace weir::abi
#endif

#endif
