/* SPDX-License-Identifier: GPL-2.0-only */
/* One packet on its way through a program, and the small things that every step needs. */
#ifndef WEIR_BPF_PACKET_PACKET_H
#define WEIR_BPF_PACKET_PACKET_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "../choose.h"
#include "maps.h"

/* False before 5.11: the finer clock then costs a few ns more. */
const volatile __u8 has_coarse_clock = 1;

enum action {
  GO_ON,             /* not decided yet; never the last word */
  TO_STACK,          /* as it is */
  PASS_ON,           /* translated, to the stack */
  SEND,              /* translated, out of packet->hop */
  SEND_BY_NEIGHBOUR, /* translated, to packet->next; the stack finds its link-layer address */
  DROP,
  TO_SPLIT, /* the proxy cannot have it */
};

/* Both versions' (<linux/icmp.h> needs the C library). */
struct icmp_header {
  __u8 type;
  __u8 code;
  __sum16 checksum;
  __be32 rest;
};

enum tcp_flags { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

#define TALLY(name)                                                                     \
  do {                                                                                  \
    const __u32 tally_zero_ = 0;                                                        \
    struct packet_counts* tally_ = bpf_map_lookup_elem(&packet_counts, &tally_zero_);   \
    if (tally_) tally_->name++; /* the programs do not interrupt each other on a CPU */ \
  } while (0)

static __always_inline struct work* find_work(void) {
  const __u32 zero = 0;
  return bpf_map_lookup_elem(&packet_work, &zero);
}

static __always_inline const struct north_config* find_config(void) {
  const __u32 zero = 0;
  return bpf_map_lookup_elem(&north_config, &zero);
}

/* What parse() adds to or leaves alone is set here; nothing of the packet before remains. */
static __always_inline struct packet* begin_packet(void) {
  struct work* work = find_work();
  if (!work) return 0;
  struct packet* packet = &work->packet;
  packet->gso_size = 0;
  packet->sequence = packet->acknowledged = 0;
  packet->tcp_flags = 0;
  packet->is_v6 = packet->is_error = packet->is_reply = packet->is_steady = packet->tags = 0;
  TALLY(seen);
  return packet;
}

/* For whatever takes more than a steady flow's entry; a clock costs as much as a table. */
static __always_inline void look_at_clock(struct packet* packet) {
  packet->now = has_coarse_clock ? bpf_ktime_get_coarse_ns() : bpf_ktime_get_ns();
}

static __always_inline int is_in_sieve(const __be32* address, __be16 port, __u8 protocol) {
  const __u32 zero = 0;
  const struct sieve* sieve = bpf_map_lookup_elem(&north_sieve, &zero);
  return sieve && sieve->seen[sieve_slot(address, port, protocol)];
}

static __always_inline void put_in_sieve(const __be32* address, __be16 port, __u8 protocol) {
  const __u32 zero = 0;
  struct sieve* sieve = bpf_map_lookup_elem(&north_sieve, &zero);
  if (!sieve) return;
  __u8* seen = &sieve->seen[sieve_slot(address, port, protocol)];
  if (!*seen) *seen = 1;
}

static __always_inline int same_address(const __be32* a, const __be32* b) {
  return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

static __always_inline int same_key(const struct flow_key* a, const struct flow_key* b) {
  return same_address(a->source, b->source) && same_address(a->destination, b->destination) &&
         a->source_port == b->source_port && a->destination_port == b->destination_port && a->protocol == b->protocol;
}

static __always_inline void copy_address(__be32* to, const __be32* from) {
  to[0] = from[0];
  to[1] = from[1];
  to[2] = from[2];
  to[3] = from[3];
}

/* Keys are written in the words that the hash reads them in: a load that spans two stores waits for both. */
static __always_inline void set_v4_address(__be32* to, __be32 v4) {
  const __be32 address[4] = {0, 0, bpf_htonl(0xffff), v4};
  __builtin_memcpy(to, address, sizeof(address));
}

static __always_inline void set_protocol(struct flow_key* key, __u8 protocol) {
  const __be32 word = bpf_htonl((__u32)protocol << 24); /* and the padding */
  __builtin_memcpy(&key->protocol, &word, sizeof(word));
}

/* `ports`: as TCP and UDP have them, source first. */
static __always_inline void set_ports_of_key(struct flow_key* key, const void* ports) {
  __builtin_memcpy(&key->source_port, ports, 2 * sizeof(__be16));
}

static __always_inline void reverse_key(struct flow_key* to, const struct flow_key* from) {
  copy_address(to->source, from->destination);
  copy_address(to->destination, from->source);
  to->source_port = from->destination_port;
  to->destination_port = from->source_port;
  set_protocol(to, from->protocol);
}

static __always_inline int is_pure_syn(const struct packet* packet) {
  return packet->tuple.protocol == IPPROTO_TCP && !packet->is_error &&
         (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST)) == TCP_SYN;
}

#endif
