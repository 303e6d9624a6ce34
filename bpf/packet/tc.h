/* SPDX-License-Identifier: GPL-2.0-only */
/* The core behind a tc hook (tcx or clsact). */
#ifndef WEIR_BPF_PACKET_TC_H
#define WEIR_BPF_PACKET_TC_H

#include <linux/pkt_cls.h>

#include "core.h"
#include "rewrite.h"

/* BPF_F_IPV6 for bpf_l4_csum_replace() where the kernel knows it, else 0. */
const volatile __u64 ipv6_checksum_flag = 0;

static __always_inline void mend_buffer(struct __sk_buff* skb, const struct packet* packet,
                                        const struct differences* found) {
  const __u32 l4 = packet->l3 + (packet->is_v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
  const int is_udp = packet->tuple.protocol == IPPROTO_UDP && !packet->is_error;
  const __u64 mangled = is_udp ? BPF_F_MARK_MANGLED_0 : 0;
  const __u64 family = packet->is_v6 ? ipv6_checksum_flag : 0;
  __u32 at = l4 + (is_udp ? 6 : 16);
  if (packet->is_error) at = l4 + 2;
  if (!packet->is_error || packet->is_v6)
    bpf_l4_csum_replace(skb, at, 0, fold32(found->pseudo), BPF_F_PSEUDO_HDR | mangled | family);
  bpf_l4_csum_replace(skb, at, 0, fold32(found->plain), mangled);
}

static __always_inline int tc_finish(struct __sk_buff* skb, struct packet* packet, int action) {
  struct differences found = {};
  const int sends = action == SEND || action == SEND_BY_NEIGHBOUR;
  if (action == TO_STACK) return TC_ACT_UNSPEC;
  if (action == DROP) return TC_ACT_SHOT;
  if (sends && packet->tags) {
    TALLY(tagged);
    return TC_ACT_UNSPEC;
  }
  if (!rewrite((void*)(long)skb->data, (void*)(long)skb->data_end, packet, &found, sends, action == SEND, 0)) {
    TALLY(truncated);
    return TC_ACT_SHOT;
  }
  mend_buffer(skb, packet, &found);
  tally_carried(packet, sends);
  if (action == SEND) return (int)bpf_redirect(packet->hop.ifindex, 0);
  if (action == PASS_ON) return TC_ACT_UNSPEC; /* others on this device see it translated */
  struct bpf_redir_neigh next = {.nh_family = packet->next_family};
  copy_address(next.ipv6_nh, packet->next);
  return (int)bpf_redirect_neigh(packet->hop.ifindex, &next, sizeof(next), 0);
}

static __always_inline struct packet* tc_begin(struct __sk_buff* skb, int forwards) {
  const __u32 wanted = skb->len < HEADERS_MOST ? skb->len : HEADERS_MOST;
  if ((void*)(long)skb->data + wanted > (void*)(long)skb->data_end) bpf_skb_pull_data(skb, wanted);
  struct packet* packet = begin_packet();
  if (!packet) return 0;
  packet->frame = skb->len;
  packet->gso_size = skb->gso_size;
  packet->ifindex = skb->ifindex;
  packet->tags = skb->vlan_present ? 1 : 0;
  return parse((void*)(long)skb->data, (void*)(long)skb->data_end, packet, forwards) == GO_ON ? packet : 0;
}

static __always_inline int tc_ingress(struct __sk_buff* skb, int fetch) {
  struct packet* packet = tc_begin(skb, 1);
  return packet ? tc_finish(skb, packet, ingress(skb, packet, fetch, 0)) : TC_ACT_UNSPEC;
}

static __always_inline int tc_egress(struct __sk_buff* skb) {
  struct packet* packet = tc_begin(skb, 0);
  return packet ? tc_finish(skb, packet, egress(packet)) : TC_ACT_UNSPEC;
}

#endif
