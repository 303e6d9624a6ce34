/* SPDX-License-Identifier: GPL-2.0-only */
/* While maps of another size take the place of `sockets` or `redirects`: what is in the old ones holds until user space
 * has moved it. The hooks are switched one by one, connect last: whatever a program that still runs on the old maps has
 * written is found by those that close, vouch and hand over. At all other times the branches are dead and the maps are
 * not there. */
#ifndef WEIR_BPF_HANDOVER_H
#define WEIR_BPF_HANDOVER_H

#include "maps.h"

const volatile __u8 has_sockets_before = 0;
const volatile __u8 has_redirects_before = 0;

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, __u64);
  __type(value, struct socket_record);
} sockets_before SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1);
  __type(key, struct redirect_key);
  __type(value, struct redirect);
} redirects_before SEC(".maps");

/* An element that is moved is in the new map before it leaves the old one: who finds it in neither looks into the new
 * one again, since it may have moved between the two looks. */
static __always_inline struct socket_record* find_record(const __u64* cookie) {
  struct socket_record* record = bpf_map_lookup_elem(&sockets, cookie);
  if (record || !has_sockets_before) return record;
  record = bpf_map_lookup_elem(&sockets_before, cookie);
  return record ? record : bpf_map_lookup_elem(&sockets, cookie);
}

static __always_inline struct redirect* find_redirect(const struct redirect_key* key) {
  struct redirect* proof = bpf_map_lookup_elem(&redirects, key);
  if (proof || !has_redirects_before) return proof;
  proof = bpf_map_lookup_elem(&redirects_before, key);
  return proof ? proof : bpf_map_lookup_elem(&redirects, key);
}

static __always_inline void delete_redirect(const struct redirect_key* key) {
  bpf_map_delete_elem(&redirects, key);
  if (has_redirects_before) bpf_map_delete_elem(&redirects_before, key);
}

#endif
