// SPDX-License-Identifier: GPL-2.0-only
// East-west: a connection's endpoint, or the proxy, is chosen at connect(), so its packets cost nothing. Start at
// connect_v4().

#include "proxy.h"

#define ALLOW 1
#define REJECT 0
#define EHOSTUNREACH 113

/* False before 5.18: the client then gets EPERM instead of EHOSTUNREACH. */
const volatile __u8 has_set_retval = 1;

/* Returns what to do with the connection; records what was done. */
static __always_inline enum outcome translate(struct bpf_sock_addr* ctx, const struct address* dialled, int fetch,
                                              struct choice* choice) {
  struct frontend_key key = {};
  struct frontend frontend;
  __builtin_memcpy(key.address, dialled, sizeof(key.address));
  key.port = (__be16)ctx->user_port;
  key.protocol = (__u8)ctx->protocol;
  enum outcome outcome = LEAVE_ALONE;
  const __u64 cookie = bpf_get_socket_cookie(ctx);
  COUNT(lookups);
  if (find_for_client(ctx, &key, &frontend)) {
    const struct proxy_place* place = proxy_place_now();
    outcome = CONNECT_TO_ENDPOINT;
    if (is_proxy_itself(place)) {
      COUNT(proxy_exempt);
      outcome = LEAVE_ALONE;
    } else if (frontend.proxy_port) {
      outcome = send_to_proxy(ctx, place, cookie, dialled, &frontend, choice);
    }
    if (outcome == CONNECT_TO_ENDPOINT) outcome = choose(frontend.split, dialled, fetch, choice);
  } else {
    COUNT(not_ours);
  }
  if (outcome == CONNECT_TO_ENDPOINT) {
    open_record(cookie, dialled, key.port, choice);
    COUNT(translated);
  } else if (outcome != CONNECT_TO_PROXY && close_record(cookie)) {
    /* This socket was ours in an earlier connect and is not any more. */
    COUNT(record_replaced);
  }
  return outcome;
}

static __always_inline int refuse(void) {
  if (has_set_retval) bpf_set_retval(-EHOSTUNREACH);
  return REJECT;
}

static __always_inline int connect_v4(struct bpf_sock_addr* ctx, int fetch) {
  struct address dialled;
  struct choice choice = {};
  address_from_v4(&dialled, ctx->user_ip4);
  switch (translate(ctx, &dialled, fetch, &choice)) {
    case CONNECT_TO_ENDPOINT:
    case CONNECT_TO_PROXY:
      write_v4(ctx, &choice.address, choice.port);
      return ALLOW;
    case REFUSE:
      return refuse();
    default:
      return ALLOW;
  }
}

/* Dual-stack sockets dial IPv4 as ::ffff:a.b.c.d: the same key, the same way. */
static __always_inline int connect_v6(struct bpf_sock_addr* ctx, int fetch) {
  struct address dialled;
  struct choice choice = {};
  address_from_v6(&dialled, ctx);
  switch (translate(ctx, &dialled, fetch, &choice)) {
    case CONNECT_TO_ENDPOINT:
    case CONNECT_TO_PROXY:
      write_v6(ctx, &choice.address, choice.port);
      return ALLOW;
    case REFUSE:
      return refuse();
    default:
      return ALLOW;
  }
}

SEC("cgroup/connect4")
int weir_connect4(struct bpf_sock_addr* ctx) {
  return connect_v4(ctx, 1);
}

SEC("cgroup/connect6")
int weir_connect6(struct bpf_sock_addr* ctx) {
  return connect_v6(ctx, 1);
}

/* For kernels before 5.12; see next_pick(). */
SEC("cgroup/connect4")
int weir_connect4_a(struct bpf_sock_addr* ctx) {
  return connect_v4(ctx, 0);
}

SEC("cgroup/connect6")
int weir_connect6_a(struct bpf_sock_addr* ctx) {
  return connect_v6(ctx, 0);
}

SEC("cgroup/getpeername4")
int weir_peername4(struct bpf_sock_addr* ctx) {
  struct address address;
  __be16 port = (__be16)ctx->user_port;
  address_from_v4(&address, ctx->user_ip4);
  if (show_service(ctx, &address, &port)) write_v4(ctx, &address, port);
  return ALLOW;
}

SEC("cgroup/getpeername6")
int weir_peername6(struct bpf_sock_addr* ctx) {
  struct address address;
  __be16 port = (__be16)ctx->user_port;
  address_from_v6(&address, ctx);
  if (show_service(ctx, &address, &port)) write_v6(ctx, &address, port);
  return ALLOW;
}

SEC("cgroup/sock_release")
int weir_release(struct bpf_sock* ctx) {
  if (close_record(bpf_get_socket_cookie(ctx))) COUNT(record_released);
  return ALLOW;
}

/* Called at several steps of every TCP connection's life: two comparisons for all but the first, where whoever connects
 * elsewhere than to a port of the proxy pays for being asked whether it is a subflow. */
SEC("sockops")
int weir_sock_ops(struct bpf_sock_ops* ctx) {
  if (ctx->op == BPF_SOCK_OPS_TCP_CONNECT_CB) {
    if (is_proxy_port(bpf_ntohl(ctx->remote_port))) vouch(ctx);
    if (is_subflow(ctx)) follow_subflow(ctx);
  } else if (ctx->op == BPF_SOCK_OPS_STATE_CB && ctx->args[1] == BPF_TCP_CLOSE) {
    if (has_mptcp && close_record(bpf_get_socket_cookie(ctx))) COUNT(record_released);
  }
  return ALLOW;
}

/* In the agent's network namespace: who gets a connection that no socket is bound for. */
SEC("sk_lookup")
int weir_sk_lookup(struct bpf_sk_lookup* ctx) {
  const __u32 port = ctx->local_port;
  return ctx->protocol == IPPROTO_TCP ? receive(ctx, port) : SK_PASS;
}

char LICENSE[] SEC("license") = "GPL";
