/* SPDX-License-Identifier: GPL-2.0-only */
/* The core behind XDP. */
#ifndef WEIR_BPF_PACKET_XDP_H
#define WEIR_BPF_PACKET_XDP_H

#include "short_way.h"

/* XDP has no way back to the stack for a packet that it has changed: its source is the node's own address. */
static __always_inline int xdp_can_send(struct packet* packet) {
  if (packet->tags) {
    TALLY(tagged);
    return 0;
  }
  __u32 flags = packet->hop.flags;
  if (packet->hop.ifindex != packet->ifindex) { /* which may have lost its program since */
    const __u32* device = bpf_map_lookup_elem(&north_devices, &packet->hop.ifindex);
    flags = device ? *device : 0;
  }
  if (flags & DEVICE_TAKES_FRAMES) return 1;
  TALLY(left_to_tc);
  return 0;
}

static __always_inline int xdp_finish(struct xdp_md* ctx, struct packet* packet, int action) {
  struct differences found = {};
  if (action == DROP) return XDP_DROP;
  if (action == SEND_BY_NEIGHBOUR) TALLY(no_neighbour);
  if (action != SEND || !xdp_can_send(packet)) return XDP_PASS;
  if (!rewrite((void*)(long)ctx->data, (void*)(long)ctx->data_end, packet, &found, 1, 1, 1)) {
    TALLY(truncated);
    return XDP_DROP;
  }
  tally_carried(packet, 1);
  return packet->hop.ifindex == packet->ifindex ? XDP_TX : (int)bpf_redirect(packet->hop.ifindex, 0);
}

static __always_inline struct packet* xdp_begin(struct xdp_md* ctx) {
  struct packet* packet = begin_packet();
  if (!packet) return 0;
  packet->frame = ctx->data_end - ctx->data;
  packet->ifindex = ctx->ingress_ifindex;
  return parse((void*)(long)ctx->data, (void*)(long)ctx->data_end, packet, 1) == GO_ON ? packet : 0;
}

static __always_inline int xdp_ingress(struct xdp_md* ctx, int fetch) {
  const int taken = take_short_way(ctx);
  if (taken != XDP_ABORTED) return taken;
  struct packet* packet = xdp_begin(ctx);
  return packet ? xdp_finish(ctx, packet, ingress(ctx, packet, fetch, 1)) : XDP_PASS;
}

#endif
