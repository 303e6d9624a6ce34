/* SPDX-License-Identifier: GPL-2.0-only */
/* The short way through XDP, for the packets that there are most of: TCP over IPv4 in the middle of a connection, ours
 * to an endpoint elsewhere or nobody's. What the long way (core.h) keeps in a map is in registers here. Whatever is not
 * plainly so takes the long way, which would have come to the same. */
#ifndef WEIR_BPF_PACKET_SHORT_WAY_H
#define WEIR_BPF_PACKET_SHORT_WAY_H

#include "core.h"
#include "rewrite.h"

struct plain_frame {
  struct ethhdr* link;
  struct iphdr* ip;
  struct tcphdr* tcp;
};

static __always_inline int is_plain(const struct plain_frame* frame, __u32 bytes) {
  const __u32 length = bpf_ntohs(frame->ip->tot_len);
  return ((const half*)frame->link)[6] == bpf_htons(ETH_P_IP) && *(const __u8*)frame->ip == 0x45 &&
         frame->ip->protocol == IPPROTO_TCP && !(frame->ip->frag_off & bpf_htons(IP_FRAGMENT)) && frame->ip->ttl > 1 &&
         length + ETH_HLEN <= bytes && frame->tcp->doff >= 5 && length >= sizeof(*frame->ip) + frame->tcp->doff * 4U &&
         !(((const __u8*)frame->tcp)[13] & (TCP_SYN | TCP_FIN | TCP_RST));
}

static __always_inline void make_key(const struct plain_frame* frame, struct flow_key* key) {
  set_v4_address(key->source, frame->ip->saddr);
  set_v4_address(key->destination, frame->ip->daddr);
  set_ports_of_key(key, frame->tcp);
  set_protocol(key, IPPROTO_TCP);
}

/* XDP_PASS, unless it may be an answer. */
static __always_inline int pass_by(const struct flow_key* key) {
  const struct north_config* config = find_config();
  if (!config || is_reserved(config, key->destination_port)) return XDP_ABORTED;
  TALLY(seen);
  TALLY(not_ours);
  return XDP_PASS;
}

static __always_inline void rewrite_plain(const struct plain_frame* frame, const struct flow* flow) {
  __u64 addresses = differ(0, frame->ip->saddr, flow->source[3]);
  addresses = differ(addresses, frame->ip->daddr, flow->endpoint[3]);
  __u64 ports = differ16(0, frame->tcp->source, flow->source_port);
  ports = differ16(ports, frame->tcp->dest, flow->endpoint_port);
  __be16* hops = (__be16*)&frame->ip->ttl; /* with the protocol */
  const __be16 left = bpf_htons((__u16)(bpf_ntohs(*hops) - 0x100));
  frame->ip->check = mend(frame->ip->check, differ16(addresses, *hops, left));
  frame->tcp->check = mend(frame->tcp->check, addresses + ports);
  *hops = left;
  frame->ip->saddr = flow->source[3];
  frame->ip->daddr = flow->endpoint[3];
  frame->tcp->source = flow->source_port;
  frame->tcp->dest = flow->endpoint_port;
  set_link(frame->link, &flow->to_endpoint);
}

/* XDP_TX: carried. XDP_PASS: nobody's. XDP_ABORTED: it has to take the long way, and is as it was. */
static __always_inline int take_short_way(struct xdp_md* ctx) {
  void* data = (void*)(long)ctx->data;
  const void* end = (void*)(long)ctx->data_end;
  const struct plain_frame all = {data, data + ETH_HLEN, data + ETH_HLEN + sizeof(struct iphdr)}, *frame = &all;
  if ((const void*)(frame->tcp + 1) > end) return XDP_ABORTED;
  if (!is_plain(frame, (__u32)(end - data))) return XDP_ABORTED;
  struct flow_key key;
  make_key(frame, &key);
  if (!is_in_sieve(key.destination, key.destination_port, key.protocol)) return pass_by(&key);
  const struct flow* flow = bpf_map_lookup_elem(&flows, &key);
  if (!flow || (flow->flags & FLOW_LOCAL)) return XDP_ABORTED;
  const struct hop* hop = &flow->to_endpoint;
  if (!is_in_the_middle(flow, hop) || bpf_ntohs(frame->ip->tot_len) > hop->mtu) return XDP_ABORTED;
  if (hop->ifindex != ctx->ingress_ifindex || !(hop->flags & DEVICE_TAKES_FRAMES)) return XDP_ABORTED;
  rewrite_plain(frame, flow);
  TALLY(seen);
  TALLY(forwarded);
  return XDP_TX;
}

#endif
