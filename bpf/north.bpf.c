// SPDX-License-Identifier: GPL-2.0-only
// North-south: traffic that comes to the node from outside. One core (packet/core.h), two ways to it: XDP carries what
// leaves the node again; tc, on the same devices, carries the rest, and translates what the node's endpoints answer.

#include "packet/tc.h"
#include "packet/xdp.h"

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
  return tc_egress(skb);
}

/* In the second form for kernels before 5.12; see next_pick(). */
SEC("xdp")
int weir_xdp(struct xdp_md* ctx) {
  return xdp_ingress(ctx, 1);
}

SEC("xdp")
int weir_xdp_a(struct xdp_md* ctx) {
  return xdp_ingress(ctx, 0);
}

char LICENSE[] SEC("license") = "GPL";
