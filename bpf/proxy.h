/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections that a proxy of the node is to carry: sent at connect() to the node's address and a port that stands for
 * the frontend, vouched for when the SYN leaves, handed to a listening socket when it arrives. The proxy reads the port
 * back with getsockname(). Without a proxy that shows signs of life nobody is sent anywhere. */
#ifndef WEIR_BPF_PROXY_H
#define WEIR_BPF_PROXY_H

#include "proxy_alive.h"
#include "record.h"

#define IPPROTO_TCP 6

/* The ports of the proxy, in host order: [first, first + count). */
const volatile __u32 proxy_port_first = 0;
const volatile __u32 proxy_port_count = 0;

/* By cgroup: a mark or a user id can be had by others. */
static __always_inline int is_proxy_itself(const struct proxy_place* place) {
  return place && place->cgroup && place->cgroup == bpf_get_current_cgroup_id();
}

/* Fills in where the client's kind of address finds the proxy. Returns 0 when there is no way. */
static __always_inline int find_way(struct bpf_sock_addr* ctx, const struct proxy_place* place,
                                    const struct address* dialled, struct choice* choice) {
  __u32 loopback;
  if (ctx->protocol != IPPROTO_TCP) return 0;
  if (address_prefix_off_v4(dialled)) {
    __builtin_memcpy(&choice->address, place->v6, sizeof(choice->address));
    loopback = PROXY_V6_LOOPBACK;
  } else {
    __builtin_memcpy(&choice->address, place->v4, sizeof(choice->address));
    loopback = PROXY_V4_LOOPBACK;
  }
  const struct address* address = &choice->address;
  if (!(address->words[0] | address->words[1] | address->words[2] | address->words[3])) return 0;
  return !(place->flags & loopback) || bpf_get_netns_cookie(ctx) == place->netns;
}

/* Without room for a record it is kept for the moment until the SYN leaves and asks for it: the proof must be had. */
static __always_inline int keep_for_proof(__u64 cookie, const struct socket_record* record) {
  if (keep_record(cookie, record)) return 1;
  COUNT(record_full);
  return !bpf_map_update_elem(&spilled, &cookie, record, BPF_ANY);
}

static __always_inline int redirect(struct bpf_sock_addr* ctx, const struct proxy_place* place, __u64 cookie,
                                    const struct address* dialled, const struct frontend* frontend,
                                    struct choice* choice) {
  struct socket_record record = {};
  if (!find_way(ctx, place, dialled, choice)) return 0;
  choice->port = frontend->proxy_port;
  choice->counter = COUNTER_NONE;
  make_record(&record, dialled, (__be16)ctx->user_port, choice);
  record.flags = SOCKET_REDIRECTED;
  return keep_for_proof(cookie, &record);
}

/* What becomes of a connection that is for the proxy; CONNECT_TO_ENDPOINT: to be split. */
static __always_inline enum outcome send_to_proxy(struct bpf_sock_addr* ctx, const struct proxy_place* place,
                                                  __u64 cookie, const struct address* dialled,
                                                  const struct frontend* frontend, struct choice* choice) {
  const int alive = proxy_is_alive(place);
  if (alive && redirect(ctx, place, cookie, dialled, frontend, choice)) {
    COUNT(redirected);
    return CONNECT_TO_PROXY;
  }
  if (!frontend->split || (frontend->flags & FRONTEND_REFUSE_WITHOUT_PROXY)) {
    COUNT(proxy_refused);
    return REFUSE;
  }
  if (alive) {
    COUNT(proxy_no_way);
  } else {
    COUNT(proxy_down);
  }
  return CONNECT_TO_ENDPOINT;
}

/* Says whether a port, in host order, is one of the proxy's. */
static __always_inline int is_proxy_port(__u32 port) {
  return port - proxy_port_first < proxy_port_count;
}

/* Under what the client's address and port are known; they are the record's from now on. */
static __always_inline void write_proof(struct bpf_sock_ops* ctx, __u64 cookie, struct socket_record* record) {
  struct redirect_key key = {};
  struct redirect value = {.cookie = cookie};
  struct address client, sent_to;
  const __u32 v6[4] = {FIELD(ctx->local_ip6[0]), FIELD(ctx->local_ip6[1]), FIELD(ctx->local_ip6[2]),
                       FIELD(ctx->local_ip6[3])};
  const __u32 v4 = FIELD(ctx->local_ip4);
  __builtin_memcpy(&sent_to, record->endpoint_address, sizeof(sent_to));
  /* By where it was sent, not by the socket's family: a dual-stack socket's IPv4 address is in `v4` too. */
  choose_address(&client, !address_prefix_off_v4(&sent_to), v4, v6);
  __builtin_memcpy(key.client_address, &client, sizeof(key.client_address));
  key.client_port = bpf_htons((__u16)ctx->local_port);
  key.proxy_port = record->endpoint_port;
  __builtin_memcpy(record->client_address, &client, sizeof(record->client_address));
  record->client_port = key.client_port;
  bpf_map_update_elem(&redirects, &key, &value, BPF_ANY);
}

/* A socket that connects has its address and port now. If it was redirected, whoever receives its SYN will ask. */
static __always_inline void vouch(struct bpf_sock_ops* ctx) {
  __u64 cookie = bpf_get_socket_cookie(ctx);
  struct socket_record* record = find_record(&cookie);
  if (record) {
    if (record->flags & SOCKET_REDIRECTED) write_proof(ctx, cookie, record);
    return;
  }
  record = bpf_map_lookup_elem(&spilled, &cookie);
  if (!record) return;
  write_proof(ctx, cookie, record);
  /* Its next connect may be another's. */
  bpf_map_delete_elem(&spilled, &cookie);
}

/* A subflow's record is found by its addresses, and closed with it: see subflow.h. */
static __always_inline void follow_subflow(struct bpf_sock_ops* ctx) {
  __u64 cookie = bpf_get_socket_cookie(ctx);
  struct socket_record* record = find_record(&cookie);
  if (!record) return;
  bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
  /* A proof for one of the proxy's ports is vouch()'s to write. */
  if (!is_proxy_port(bpf_ntohs(record->endpoint_port))) write_proof(ctx, cookie, record);
}

static __always_inline int was_redirected(struct bpf_sk_lookup* ctx, __u32 port) {
  struct redirect_key key = {};
  struct address client;
  const __u32 v6[4] = {FIELD(ctx->remote_ip6[0]), FIELD(ctx->remote_ip6[1]), FIELD(ctx->remote_ip6[2]),
                       FIELD(ctx->remote_ip6[3])};
  const __u32 v4 = FIELD(ctx->remote_ip4);
  choose_address(&client, ctx->family == AF_INET, v4, v6);
  __builtin_memcpy(key.client_address, &client, sizeof(key.client_address));
  key.client_port = ctx->remote_port;
  key.proxy_port = bpf_htons((__u16)port);
  return find_redirect(&key) != 0;
}

/* The listening socket for a client's port. Returns 0 when it could be given to none. */
static __always_inline int give_to_worker(struct bpf_sk_lookup* ctx) {
  const struct proxy_place* place = proxy_place_now();
  if (!place) return 0;
  const int is_v4 = ctx->family == AF_INET;
  const __u32 workers = is_v4 ? place->v4_workers : place->v6_workers;
  if (!workers) return 0;
  __u32 worker = pick_hash(0, ctx->remote_port) % workers + (is_v4 ? 0 : MAX_PROXY_WORKERS);
  struct bpf_sock* socket = bpf_map_lookup_elem(&proxy_sockets, &worker);
  if (!socket) return 0;
  const long error = bpf_sk_assign(ctx, socket, 0);
  bpf_sk_release(socket);
  return !error || error == -17; /* EEXIST: another program on this hook has chosen; it is not ours to overrule */
}

/* The address that the connection is for. */
static __always_inline int is_gateway_place(struct bpf_sk_lookup* ctx) {
  struct gateway_place key = {};
  struct address local;
  const __u32 v6[4] = {FIELD(ctx->local_ip6[0]), FIELD(ctx->local_ip6[1]), FIELD(ctx->local_ip6[2]),
                       FIELD(ctx->local_ip6[3])};
  const __u32 v4 = FIELD(ctx->local_ip4);
  choose_address(&local, ctx->family == AF_INET, v4, v6);
  __builtin_memcpy(key.address, &local, sizeof(key.address));
  return bpf_map_lookup_elem(&gateway_places, &key) != 0;
}

/* A connection from anybody to a port that is a gateway's. Without a proxy the port is as if there was no gateway. */
static __always_inline int receive_for_gateway(struct bpf_sk_lookup* ctx, __u16 flags) {
  if ((flags & PROXY_PORT_BY_ADDRESS) && !is_gateway_place(ctx)) return SK_PASS;
  if (!proxy_is_alive(proxy_place_now())) {
    COUNT(gateway_down);
    return SK_PASS;
  }
  if (!give_to_worker(ctx)) {
    COUNT(proxy_no_socket);
    return SK_DROP;
  }
  COUNT(gateway_handed);
  return SK_PASS;
}

/* A connection that comes to a port of the proxy. */
static __always_inline int receive(struct bpf_sk_lookup* ctx, __u32 port) {
  /* A port that stands for nothing is not ours: perhaps somebody else listens there. */
  const struct proxy_port* entry = bpf_map_lookup_elem(&proxy_ports, &port);
  if (!entry) return SK_PASS;
  if (entry->flags & PROXY_PORT_GATEWAY) return receive_for_gateway(ctx, entry->flags);
  if (!was_redirected(ctx, port)) {
    COUNT(proxy_direct);
    return SK_DROP;
  }
  if (!give_to_worker(ctx)) {
    COUNT(proxy_no_socket);
    return SK_DROP;
  }
  COUNT(proxy_handed);
  return SK_PASS;
}

#endif
