/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of a translated or redirected socket: made at connect, read by getpeername, closed when the socket goes or
 * connects elsewhere. */
#ifndef WEIR_BPF_RECORD_H
#define WEIR_BPF_RECORD_H

#include "choose.h"
#include "subflow.h"

/* A socket's proof is worth nothing once the socket is gone: its port may be somebody else's next. */
static __always_inline void forget_redirect(const struct socket_record* record) {
  struct redirect_key key = {};
  __builtin_memcpy(key.client_address, record->client_address, sizeof(key.client_address));
  key.client_port = record->client_port;
  key.proxy_port = record->endpoint_port;
  delete_redirect(&key);
}

static __always_inline int close_record_in(void* map, __u64 cookie) {
  const struct socket_record* record = bpf_map_lookup_elem(map, &cookie);
  if (!record) return 0;
  const __u32 counter = record->counter;
  if (record->client_port) forget_redirect(record);
  if (bpf_map_delete_elem(map, &cookie)) return 0; /* somebody else closed it */
  count_closed(counter);
  return 1;
}

/* Closes the books of a socket's last connection, if it had one. */
static __always_inline int close_record(__u64 cookie) {
  if (close_record_in(&sockets, cookie)) return 1;
  if (!has_sockets_before) return 0;
  return close_record_in(&sockets_before, cookie) || close_record_in(&sockets, cookie); /* see find_record() */
}

/* Returns 0 when the map has no room. */
static __always_inline int keep_record(__u64 cookie, const struct socket_record* record) {
  if (has_sockets_before && close_record_in(&sockets_before, cookie)) COUNT(record_replaced);
  long error = bpf_map_update_elem(&sockets, &cookie, record, BPF_NOEXIST);
  if (error == -17 /* EEXIST: this socket connected before */) {
    if (close_record(cookie)) COUNT(record_replaced);
    error = bpf_map_update_elem(&sockets, &cookie, record, BPF_NOEXIST);
  }
  if (error) return 0;
  count_opened(record->counter);
  return 1;
}

static __always_inline void make_record(struct socket_record* record, const struct address* service,
                                        __be16 service_port, const struct choice* choice) {
  __builtin_memcpy(record->service_address, service, sizeof(record->service_address));
  __builtin_memcpy(record->endpoint_address, &choice->address, sizeof(record->endpoint_address));
  record->service_port = service_port;
  record->endpoint_port = choice->port;
  record->counter = choice->counter;
  record->split = choice->split;
  record->generation = choice->generation;
}

static __always_inline void open_record(__u64 cookie, const struct address* service, __be16 service_port,
                                        const struct choice* choice) {
  struct socket_record record = {};
  make_record(&record, service, service_port, choice);
  count_picked(choice->counter);
  /* The connection is made all the same; only getpeername and the number of open connections miss it. */
  if (!keep_record(cookie, &record)) COUNT(record_full);
}

/* True when `address` is where the record's socket was sent; then it holds the service's address instead. A record that
 * a failed or dissolved connection left behind does not match what the socket is connected to now. */
static __always_inline int show_service(struct bpf_sock_addr* ctx, struct address* address, __be16* port) {
  const __u64 cookie = record_cookie(ctx, *port);
  const struct socket_record* record = find_record(&cookie);
  if (!record || record->endpoint_port != *port) return 0;
  struct address endpoint;
  __builtin_memcpy(&endpoint, record->endpoint_address, sizeof(endpoint));
  if (endpoint.words[0] != address->words[0] || endpoint.words[1] != address->words[1] ||
      endpoint.words[2] != address->words[2] || endpoint.words[3] != address->words[3])
    return 0;
  __builtin_memcpy(address, record->service_address, sizeof(*address));
  *port = record->service_port;
  COUNT(peer_shown);
  return 1;
}

#endif
