/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The pick, written once for kernel and user space: number of the pick -> destination -> endpoint. Whole numbers only.
 *
 * A split's picks are numbered by its cursor. At each fork of its tree the rarer side has a share m of 2^32 (at most
 * half): it gets exactly one of every 2^32/m turns, at a place in that block that a hash of the block's number decides.
 * So after any number of turns neither side is more than one off its share, whatever the shares are, and a client that
 * takes every tenth pick meets no pattern. What a side gets is numbered again, for the next fork and at last for the
 * endpoints, which take turns in rounds, each round from another one on.
 *
 * Why not one point of a low-discrepancy sequence against thresholds: over starting points at random, the golden ratio
 * was up to 4 off at 50/50 and 33/33/34 between 10 and 10,000 picks, and more than 2 off somewhere on the way in half
 * of the runs. This is at most 1 off for two destinations, and was never seen 2.5 off for any twenty.
 *
 * Whoever includes this defines pick_endpoint_at(). Every value may come from a map that somebody scribbled over: no
 * value leads out of bounds or into a loop, at worst to PICK_NONE. */
#ifndef WEIR_BPF_PICK_H
#define WEIR_BPF_PICK_H

#include "abi.h"

#ifdef __cplusplus
namespace weir::abi {
#endif

enum { PICK_NONE = 0xffffffffu };

struct pick_place {
  __u32 found; /* 0: no destination */
  __u32 first;
  __u32 count;
  __u32 flags;
  __u32 turn; /* number of this pick among the destination's own */
  __u32 pad;
  __u64 phase;
};

/* Where endpoints are kept: the includer's own. Returns null for an index out of bounds. */
struct pick_endpoints;
WEIR_INLINE const struct endpoint* pick_endpoint_at(const struct pick_endpoints* endpoints, __u32 index);

/* 32 good bits of a seed and a number. */
WEIR_INLINE __u32 pick_hash(__u64 seed, __u64 number) {
  __u64 hash = seed + number * 0x9E3779B97F4A7C15ULL;
  hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93ULL;
  hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93ULL;
  return (__u32)(hash >> 32);
}

/* `yes` if `condition` (0 or 1), else `no`, without a branch: the hash would make it unpredictable for the CPU, and the
 * verifier would walk both ways again at every depth. The empty instruction keeps the compiler from putting a branch
 * back. */
WEIR_INLINE __u64 pick_either(__u64 condition, __u64 yes, __u64 no) {
  __u64 mask = 0 - condition;
  __asm__ volatile("" : "+r"(mask));
  return no ^ ((yes ^ no) & mask);
}

/* Which child `turn` goes to; `turn` becomes its number among that child's turns. */
WEIR_INLINE __u32 pick_side(const struct split_fork* fork, __u64 seed, __u32* turn) {
  const __u64 now = *turn, share = fork->share;
  const __u64 block = now * share >> 32;
  const __u64 begin = ((block << 32) + share - 1) / share, end = (((block + 1) << 32) + share - 1) / share;
  const __u64 chosen = begin + (pick_hash(seed, block) * (end - begin) >> 32);
  const __u64 is_past = (chosen - now) >> 63;
  const __u64 is_chosen = 1 ^ is_past ^ ((now - chosen) >> 63);
  *turn = (__u32)pick_either(is_chosen, block, now - block - is_past);
  return (__u32)pick_either(is_chosen, fork->rare, fork->common);
}

/* The destination of the pick that got `cursor`. */
WEIR_INLINE void pick_destination(const struct split* split, __u64 cursor, struct pick_place* place) {
  __u32 turn = (__u32)(cursor - split->start);
  __u32 node = split->destination_count == 1 ? 0 : FORK_BASE;
  place->found = 0;
  for (__u32 depth = 0; depth < MAX_FORKS; depth++) {
    if (node < FORK_BASE) break;
    const __u32 index = node - FORK_BASE;
    if (index >= MAX_FORKS) return;
    const struct split_fork* fork = &split->forks[index];
    if (!fork->share) return;
    node = pick_side(fork, split->phase + index, &turn);
  }
  if (node >= MAX_DESTINATIONS || node >= split->destination_count) return;
  const struct split_destination* destination = &split->destinations[node];
  place->first = destination->first;
  place->count = destination->count;
  place->flags = destination->flags;
  place->turn = turn;
  place->phase = split->phase ^ destination->key;
  place->found = 1;
}

/* First of `count` endpoints from `first` whose `last` is not below `point`. */
WEIR_INLINE __u32 pick_search(const struct pick_endpoints* endpoints, __u32 first, __u32 count, __u32 point) {
  __u32 low = 0, high = count - 1;
  for (__u32 step = 0; step < MAX_SEARCH_STEPS; step++) {
    if (low >= high) break;
    const __u32 middle = low + (high - low) / 2;
    const struct endpoint* endpoint = pick_endpoint_at(endpoints, first + middle);
    if (!endpoint) return PICK_NONE;
    if (point <= endpoint->last)
      high = middle;
    else
      low = middle + 1;
  }
  return first + low;
}

/* Index into `endpoints` of the endpoint at `place`; PICK_NONE when it holds none. Weighted ones by a golden-ratio
 * sequence: with few connections a little less even than forks, but any number of endpoints takes one search. */
WEIR_INLINE __u32 pick_endpoint(const struct pick_endpoints* endpoints, const struct pick_place* place) {
  const __u32 count = place->count;
  if (!count || count > MAX_ENDPOINTS) return PICK_NONE;
  if (place->flags & DESTINATION_WEIGHTED)
    return pick_search(endpoints, place->first, count, (__u32)(place->phase >> 32) + place->turn * 0x9E3779B9u);
  return place->first + (place->turn % count + pick_hash(place->phase, place->turn / count) % count) % count;
}

/* Multiplies each word of the key by another odd number: one changed bit changes the sum. Not for secrets. */
WEIR_INLINE __u64 frontend_check(const struct frontend_key* key) {
  __u64 words[3];
  __builtin_memcpy(words, key, sizeof(words));
  return words[0] * 0x9E3779B97F4A7C15ULL + words[1] * 0xC2B2AE3D27D4EB4FULL + words[2] * 0xD6E8FEB86659FD93ULL + 1;
}

#ifdef __cplusplus
}  // namespace weir::abi
#endif

#endif
