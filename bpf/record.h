/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of a translated socket: made at connect, read by getpeername, closed when the socket goes or connects
 * elsewhere. */
#ifndef WEIR_BPF_RECORD_H
#define WEIR_BPF_RECORD_H

#include "choose.h"

/* Closes the books of a socket's last connection, if it had one. */
static __always_inline int close_record(__u64 cookie) {
  const struct socket_record* record = bpf_map_lookup_elem(&sockets, &cookie);
  if (!record) return 0;
  const __u32 counter = record->counter;
  if (bpf_map_delete_elem(&sockets, &cookie)) return 0; /* somebody else closed it */
  count_closed(counter);
  return 1;
}

static __always_inline void open_record(__u64 cookie, const struct address* service, __be16 service_port,
                                        const struct choice* choice) {
  struct socket_record record = {};
  __builtin_memcpy(record.service_address, service, sizeof(record.service_address));
  __builtin_memcpy(record.endpoint_address, &choice->address, sizeof(record.endpoint_address));
  record.service_port = service_port;
  record.endpoint_port = choice->port;
  record.counter = choice->counter;
  record.split = choice->split;
  record.generation = choice->generation;
  count_picked(choice->counter);
  long error = bpf_map_update_elem(&sockets, &cookie, &record, BPF_NOEXIST);
  if (error == -17 /* EEXIST: this socket connected before */) {
    if (close_record(cookie)) COUNT(record_replaced);
    error = bpf_map_update_elem(&sockets, &cookie, &record, BPF_NOEXIST);
  }
  if (error) {
    /* The connection is made all the same; only getpeername and the number of open connections miss it. */
    COUNT(record_full);
    return;
  }
  count_opened(choice->counter);
}

/* True when `address` is where the record's socket was sent; then it holds the service's address instead. A record that
 * a failed or dissolved connection left behind does not match what the socket is connected to now. */
static __always_inline int show_service(__u64 cookie, struct address* address, __be16* port) {
  const struct socket_record* record = bpf_map_lookup_elem(&sockets, &cookie);
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
