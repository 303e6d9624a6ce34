/* SPDX-License-Identifier: GPL-2.0-only */
/* The way out: asked of the routing table, believed for a second. */
#ifndef WEIR_BPF_PACKET_HOP_H
#define WEIR_BPF_PACKET_HOP_H

#include "flow.h"

#define FAMILY_V4 2
#define FAMILY_V6 10

static __always_inline enum action no_way(long answer) {
  if (answer == BPF_FIB_LKUP_RET_FRAG_NEEDED)
    TALLY(too_big);
  else if (answer == BPF_FIB_LKUP_RET_FWD_DISABLED)
    TALLY(forwarding_off);
  else
    TALLY(no_route);
  return TO_STACK;
}

/* Fills in packet->hop, and `kept` for the next packets. */
static __always_inline enum action ask_route(void* ctx, struct packet* packet, struct hop* kept) {
  struct bpf_fib_lookup fib = {};
  fib.family = packet->is_v6 ? FAMILY_V6 : FAMILY_V4;
  fib.l4_protocol = packet->out.protocol;
  fib.sport = packet->out.source_port;
  fib.dport = packet->out.destination_port;
  fib.tot_len = packet->length;
  fib.ifindex = packet->ifindex;
  if (packet->is_v6) {
    copy_address(fib.ipv6_src, packet->out.source);
    copy_address(fib.ipv6_dst, packet->out.destination);
  } else {
    fib.ipv4_src = packet->out.source[3];
    fib.ipv4_dst = packet->out.destination[3];
  }
  const long answer = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
  packet->hop.ifindex = fib.ifindex;
  if (answer == BPF_FIB_LKUP_RET_NO_NEIGH) {
    packet->next_family = fib.family;
    copy_address(packet->next, fib.ipv6_dst); /* the union's IPv4 is its first word */
    return SEND_BY_NEIGHBOUR;
  }
  if (answer) return no_way(answer);
  /* Before 5.12 the kernel does not tell the MTU here: then a larger packet asks again. */
  packet->hop.mtu = fib.mtu_result > packet->length ? fib.mtu_result : packet->length;
  __builtin_memcpy(packet->hop.to, fib.dmac, sizeof(packet->hop.to));
  __builtin_memcpy(packet->hop.from, fib.smac, sizeof(packet->hop.from));
  packet->hop.until = packet->now + SECOND_NS;
  const __u32* device = bpf_map_lookup_elem(&north_devices, &packet->hop.ifindex);
  packet->hop.flags = device ? (__u16)*device : 0;
  kept->until = 0; /* nobody believes it half written */
  BARRIER();
  kept->ifindex = packet->hop.ifindex;
  kept->mtu = packet->hop.mtu;
  kept->flags = packet->hop.flags;
  __builtin_memcpy(kept->to, packet->hop.to, sizeof(kept->to));
  __builtin_memcpy(kept->from, packet->hop.from, sizeof(kept->from));
  BARRIER();
  kept->until = packet->hop.until;
  note_look(packet, kept);
  return SEND;
}

static __always_inline enum action find_way(void* ctx, struct packet* packet, struct hop* kept) {
  const int fits = packet->length <= kept->mtu;
  if (fits && (packet->is_steady || kept->until > packet->now)) {
    packet->hop = *kept;
    note_look(packet, kept);
    return SEND;
  }
  if (packet->is_steady) look_at_clock(packet);
  return ask_route(ctx, packet, kept);
}

#endif
