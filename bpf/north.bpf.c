// SPDX-License-Identifier: GPL-2.0-only
// North-south: traffic that comes to the node from outside. One core (packet/core.h), two ways to it: XDP carries what
// leaves the node again; tc, on the same devices, carries the rest, and translates what the node's endpoints answer.
// Start at tc_ingress().

#include <linux/pkt_cls.h>

#include "packet/core.h"
#include "packet/rewrite.h"

/* BPF_F_IPV6 for bpf_l4_csum_replace() where the kernel knows it, else 0. */
const volatile __u64 ipv6_checksum_flag = 0;

static __always_inline void tally_carried(const struct packet* packet, int sends) {
  if (packet->is_error) TALLY(errors_translated);
  if (packet->is_reply)
    TALLY(replied);
  else if (sends)
    TALLY(forwarded);
  else
    TALLY(local);
}

/* ---- tc ---- */

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

SEC("tc")
int weir_tc_in(struct __sk_buff* skb) {
  return tc_ingress(skb, 1);
}

SEC("tc")
int weir_tc_in_a(struct __sk_buff* skb) {
  return tc_ingress(skb, 0);
}

SEC("tc")
int weir_tc_out(struct __sk_buff* skb) {
  struct packet* packet = tc_begin(skb, 0);
  return packet ? tc_finish(skb, packet, egress(packet)) : TC_ACT_UNSPEC;
}

/* ---- XDP ---- */

/* XDP has no way back to the stack for a packet that it has changed: its source is the node's own address. */
static __always_inline int xdp_can_send(struct packet* packet) {
  if (packet->tags) {
    TALLY(tagged);
    return 0;
  }
  if (packet->hop.ifindex == packet->ifindex) return 1;
  const __u32* device = bpf_map_lookup_elem(&north_devices, &packet->hop.ifindex);
  if (device && (*device & DEVICE_TAKES_FRAMES)) return 1;
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

static __always_inline int xdp_ingress(struct xdp_md* ctx, int fetch) {
  struct packet* packet = begin_packet();
  if (!packet) return XDP_PASS;
  packet->frame = ctx->data_end - ctx->data;
  packet->ifindex = ctx->ingress_ifindex;
  if (parse((void*)(long)ctx->data, (void*)(long)ctx->data_end, packet, 1) != GO_ON) return XDP_PASS;
  return xdp_finish(ctx, packet, ingress(ctx, packet, fetch, 1));
}

SEC("xdp")
int weir_xdp(struct xdp_md* ctx) {
  return xdp_ingress(ctx, 1);
}

SEC("xdp")
int weir_xdp_a(struct xdp_md* ctx) {
  return xdp_ingress(ctx, 0);
}

char LICENSE[] SEC("license") = "GPL";
