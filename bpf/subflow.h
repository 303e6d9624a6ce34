/* SPDX-License-Identifier: GPL-2.0-only */
/* MPTCP: connect() and sock_ops see the subflow, a TCP socket of the kernel's own that no release hook tells of, while
 * getpeername() sees the socket that the client has. Both have the first subflow's addresses, and those lead from one
 * to the other. */
#ifndef WEIR_BPF_SUBFLOW_H
#define WEIR_BPF_SUBFLOW_H

#include "address.h"
#include "handover.h"

#define IPPROTO_MPTCP 262

/* False before 5.19, and without BTF: records then go with the agent's sweep. */
const volatile __u8 has_mptcp = 0;

static __always_inline int is_subflow(struct bpf_sock_ops* ctx) {
  if (!has_mptcp) return 0;
  struct bpf_sock* socket = ctx->sk;
  return socket && bpf_skc_to_mptcp_sock(socket) != 0;
}

/* The cookie that a client's MPTCP socket has a record under; its own when there is none. */
static __always_inline __u64 record_cookie(struct bpf_sock_addr* ctx, __be16 port) {
  const __u64 own = bpf_get_socket_cookie(ctx);
  struct bpf_sock* socket = ctx->sk;
  struct redirect_key key = {};
  struct address client;
  if (ctx->protocol != IPPROTO_MPTCP || !socket) return own;
  const __u32 v6[4] = {FIELD(socket->src_ip6[0]), FIELD(socket->src_ip6[1]), FIELD(socket->src_ip6[2]),
                       FIELD(socket->src_ip6[3])};
  const __u32 v4 = FIELD(socket->src_ip4);
  choose_address(&client, FIELD(socket->family) == AF_INET, v4, v6);
  __builtin_memcpy(key.client_address, &client, sizeof(key.client_address));
  key.client_port = bpf_htons((__u16)FIELD(socket->src_port));
  key.proxy_port = port;
  const struct redirect* proof = find_redirect(&key);
  return proof ? proof->cookie : own;
}

#endif
