/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The pick, written once for kernel and user space: cursor -> point -> destination -> endpoint. Whole numbers only.
 *
 * A cursor advances by the golden ratio of 2^64 (a Weyl sequence); its top 32 bits are the point. Thresholds are
 * inclusive, so that the last one is 2^32 - 1 and every sum of weights fits. The place of the point inside the
 * destination's interval picks the endpoint, so one cursor serves both choices and both stay even.
 *
 * Whoever includes this defines pick_endpoint_at(). Every value may come from a map that somebody scribbled over: no
 * value leads out of bounds, at worst to PICK_NONE. */
#ifndef WEIR_BPF_PICK_H
#define WEIR_BPF_PICK_H

#include "abi.h"

#ifdef __cplusplus
namespace weir::abi {
#endif

#define WEIR_GOLDEN_RATIO 0x9E3779B97F4A7C15ULL
#define WEIR_INLINE static inline __attribute__((always_inline))

enum { PICK_NONE = 0xffffffffu };

struct pick_place {
  __u32 found; /* 0: no interval holds the point */
  __u32 first;
  __u32 count;
  __u32 flags;
  __u32 offset; /* of the point in its interval */
  __u32 pad;
  __u64 width; /* of the interval, 1..2^32; offset < width */
};

/* Where endpoints are kept: the includer's own. Returns null for an index out of bounds. */
struct pick_endpoints;
WEIR_INLINE const struct endpoint* pick_endpoint_at(const struct pick_endpoints* endpoints, __u32 index);

WEIR_INLINE __u32 pick_point(__u64 cursor) {
  return (__u32)(cursor >> 32);
}

/* The destination whose interval holds `point`. */
WEIR_INLINE void pick_destination(const struct split* split, __u32 point, struct pick_place* place) {
  const __u32 count = split->destination_count;
  __u32 low = 0;
  place->found = 0;
  for (__u32 i = 0; i < MAX_DESTINATIONS; i++) {
    const struct split_destination* destination = &split->destinations[i];
    const __u32 last = destination->last;
    if (i >= count) return;
    if (point <= last) {
      /* Intervals before this one ended below the point, so low <= point <= last whatever the values are. */
      place->first = destination->first;
      place->count = destination->count;
      place->flags = destination->flags;
      place->offset = point - low;
      place->width = (__u64)last - low + 1;
      place->found = 1;
      return;
    }
    low = last + 1;
  }
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

/* Index into `endpoints` of the endpoint at `place`; PICK_NONE when it holds none. */
WEIR_INLINE __u32 pick_endpoint(const struct pick_endpoints* endpoints, const struct pick_place* place) {
  if (!place->count || place->count > MAX_ENDPOINTS || !place->width) return PICK_NONE;
  if (place->flags & DESTINATION_WEIGHTED)
    return pick_search(endpoints, place->first, place->count, (__u32)(((__u64)place->offset << 32) / place->width));
  return place->first + (__u32)((__u64)place->offset * place->count / place->width);
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
