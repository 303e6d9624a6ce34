// SPDX-License-Identifier: GPL-2.0-only
// The XDP program behind a step that puts the packet back as it was, so that it can be run a million times on one
// frame; and that step alone, which is the floor that the cost is measured from.

#include "packet/xdp.h"

#define FRAME_BYTES 64

struct frame {
  __u8 bytes[FRAME_BYTES];
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct frame);
} bench_frame SEC(".maps");

/* Clients take turns: the n-th run is client (n * stride) % clients. */
__u64 bench_turn = 0;
__u64 bench_clients = 1;
__u64 bench_stride = 1;
__u32 bench_first = 0;

static __always_inline int restore(struct xdp_md* ctx) {
  const __u32 zero = 0;
  void* data = (void*)(long)ctx->data;
  const struct frame* frame = bpf_map_lookup_elem(&bench_frame, &zero);
  if (!frame || data + FRAME_BYTES > (void*)(long)ctx->data_end) return 0;
  __builtin_memcpy(data, frame, FRAME_BYTES);
  if (bench_clients > 1) {
    struct iphdr* ip = data + ETH_HLEN;
    const __u64 client = bench_turn++ * bench_stride % bench_clients;
    ip->saddr = bpf_htonl(bench_first + (__u32)client);
  }
  return 1;
}

SEC("xdp")
int bench_floor(struct xdp_md* ctx) {
  return restore(ctx) ? XDP_PASS : XDP_ABORTED;
}

SEC("xdp")
int bench_program(struct xdp_md* ctx) {
  return restore(ctx) ? xdp_ingress(ctx, 1) : XDP_ABORTED;
}

/* As if the endpoint had answered and the client acknowledged it. */
SEC("xdp")
int bench_establish(struct xdp_md* ctx) {
  struct packet* packet = restore(ctx) ? xdp_begin(ctx) : 0;
  struct flow* flow = packet ? find_flow(packet) : 0;
  if (!flow) return XDP_ABORTED;
  flow->client_state = SIDE_SPOKE | SIDE_ACKED;
  flow->endpoint_state = SIDE_SPOKE;
  return XDP_PASS;
}

/* As if the connection were over. */
SEC("xdp")
int bench_forget(struct xdp_md* ctx) {
  struct packet* packet = restore(ctx) ? xdp_begin(ctx) : 0;
  struct flow* flow = packet ? find_flow(packet) : 0;
  if (!flow) return XDP_ABORTED;
  forget(&packet->tuple, flow);
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
