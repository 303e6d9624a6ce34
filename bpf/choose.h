/* SPDX-License-Identifier: GPL-2.0-only */
/* From what a client dials to the endpoint it gets. The kernel reuses freed hash elements at once, so nothing read from
 * `frontends` or `splits` is believed until a second look says that the element still is what it was. */
#ifndef WEIR_BPF_CHOOSE_H
#define WEIR_BPF_CHOOSE_H

#include "account.h"
#include "address.h"
#include "pick.h"

enum outcome { LEAVE_ALONE, CONNECT_TO_ENDPOINT, CONNECT_TO_PROXY, REFUSE };

struct choice {
  struct address address;
  __be16 port;
  __u16 flags; /* enum endpoint_flags */
  __u32 counter;
  __u32 split;
  __u64 generation;
};

WEIR_INLINE const struct endpoint* pick_endpoint_at(const struct pick_endpoints* unused, __u32 index) {
  (void)unused;
  return bpf_map_lookup_elem(&endpoints, &index);
}

/* Keeps the compiler from moving a read of a map's memory across. x86 and arm64 keep the order of the dependent loads
 * between. */
#define BARRIER() asm volatile("" ::: "memory")

/* Fills `found` if the frontend is there and is nobody else's by now. */
static __always_inline int find_frontend(const struct frontend_key* key, struct frontend* found) {
  const volatile struct frontend* element = bpf_map_lookup_elem(&frontends, key);
  if (!element) return 0;
  found->split = element->split;
  found->flags = element->flags;
  found->proxy_port = element->proxy_port;
  BARRIER();
  found->check = element->check;
  return found->check == frontend_check(key);
}

/* What this client's connection to the key's address is to be. Returns 0 when no rule holds for it. */
static __always_inline int find_for_client(struct bpf_sock_addr* ctx, struct frontend_key* key,
                                           struct frontend* found) {
  if (!find_frontend(key, found)) return 0;
  if (found->flags & FRONTEND_HAS_SOURCES) {
    struct frontend own;
    __u64 cookie = bpf_get_netns_cookie(ctx);
    const __u32* source = bpf_map_lookup_elem(&sources, &cookie);
    if (source && *source) {
      key->source = *source;
      if (find_frontend(key, &own)) {
        COUNT(source_matched);
        *found = own;
      }
    }
  }
  return found->split || found->proxy_port;
}

/* The number of this pick. `fetch` is a constant: kernels before 5.12 refuse a program with the atomic form, and two
 * connections at once may then get the same number. */
static __always_inline int next_pick(__u32 split, int fetch, __u64* number) {
  __u64* cursor = bpf_map_lookup_elem(&cursors, &split);
  if (!cursor) return 0;
  if (fetch) {
    *number = __sync_fetch_and_add(cursor, 1);
  } else {
    *number = *(volatile __u64*)cursor;
    ADD(cursor, 1);
  }
  return 1;
}

enum reading { READING_DONE, READING_AGAIN, READING_MISSING };

/* The destination of a pick. Again: the element was replaced, and perhaps reused, while it was being read. */
static __always_inline enum reading read_split(__u32 id, __u64 number, struct pick_place* place, __u64* generation) {
  const struct split* split = bpf_map_lookup_elem(&splits, &id);
  if (!split) return READING_MISSING;
  const __u64 stamp = *(const volatile __u64*)&split->stamp;
  BARRIER();
  *generation = split->generation;
  pick_destination(split, number, place);
  if (split->mode != SPLIT_EXACT) place->found = 0;
  BARRIER();
  return *(const volatile __u64*)&split->stamp == stamp ? READING_DONE : READING_AGAIN;
}

/* The endpoint at `place`. What a split named a moment ago still stands: user space lets a freed range rest until every
 * program that may have seen it has ended. An endpoint of another split or address family is not what the agent writes.
 */
static __always_inline int read_endpoint(const struct pick_place* place, __u32 id, int is_v4, struct choice* choice) {
  const struct endpoint* endpoint = pick_endpoint_at(0, pick_endpoint(0, place));
  if (!endpoint || endpoint->split != id || !endpoint->port) return 0;
  __builtin_memcpy(&choice->address, endpoint->address, sizeof(choice->address));
  choice->port = endpoint->port;
  choice->flags = endpoint->flags;
  choice->counter = endpoint->counter;
  return (!address_prefix_off_v4(&choice->address)) == is_v4;
}

/* The same; tries again, with the same number, while the split is being replaced. */
static __always_inline enum reading find_place(__u32 id, __u64 number, struct pick_place* place, __u64* generation) {
  for (int i = 0; i < MAX_SPLIT_RETRIES; i++) {
    const enum reading reading = read_split(id, number, place, generation);
    if (reading != READING_AGAIN) return reading;
    COUNT(split_retry);
  }
  return READING_AGAIN;
}

/* From a split to an endpoint for who dialled this address. */
static __always_inline enum outcome choose(__u32 id, const struct address* dialled, int fetch, struct choice* choice) {
  struct pick_place place = {};
  __u64 number = 0, generation = 0;
  if (next_pick(id, fetch, &number)) {
    switch (find_place(id, number, &place, &generation)) {
      case READING_AGAIN:
        COUNT(split_busy);
        return REFUSE;
      case READING_MISSING:
        COUNT(split_missing);
        return LEAVE_ALONE;
      default:
        break;
    }
  }
  if (place.found && !place.count) { /* refused at once rather than sent where the weights did not say */
    COUNT(no_endpoint);
    return REFUSE;
  }
  if (place.found && read_endpoint(&place, id, !address_prefix_off_v4(dialled), choice)) {
    choice->split = id;
    choice->generation = generation;
    return CONNECT_TO_ENDPOINT;
  }
  /* Somebody wrote to the maps: the stack's own way is the safe one until the agent has mended them. */
  COUNT(bad_value);
  return LEAVE_ALONE;
}

#endif
