/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps of the packet programs alone; frontends, splits, cursors, endpoints and counters are those of ../maps.h. */
#ifndef WEIR_BPF_PACKET_MAPS_H
#define WEIR_BPF_PACKET_MAPS_H

#include "../maps.h"
#include "abi.h"
#include "sieve.h"

/* Client's tuple -> connection. When full, the least recently used go. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, DEFAULT_FLOWS);
  __type(key, struct flow_key);
  __type(value, struct flow);
} flows SEC(".maps");

/* Tuple of the endpoint's packets -> client's tuple. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, DEFAULT_FLOWS);
  __type(key, struct flow_key);
  __type(value, struct flow_key);
} reverse SEC(".maps");

/* The same two for connections begun during a flood, until their handshake is complete: a flood drops out its own kind
 * only. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, DEFAULT_EMBRYOS);
  __type(key, struct flow_key);
  __type(value, struct flow);
} embryos SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, DEFAULT_EMBRYOS);
  __type(key, struct flow_key);
  __type(value, struct flow_key);
} embryo_reverse SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct sieve);
} north_sieve SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct north_config);
} north_config SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct north_state);
} north_state SEC(".maps");

/* Interface index -> enum device_flags. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, __u32);
} north_devices SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct flow_rate);
} flow_rates SEC(".maps");

/* One packet on its way through a program. */
struct packet {
  /* As it came. Of an ICMP error: the tuple of a packet that would answer the one that it is about. */
  struct flow_key tuple;
  struct flow_key out; /* as it leaves; the same for an ICMP error */
  __u64 now;           /* see look_at_clock() */
  __u32 frame;         /* bytes, from the link-layer header on */
  __u32 gso_size;      /* bytes of payload a segment that the device will make of it; 0: it is one */
  __u32 l3;            /* offset of the IP header */
  __u32 ifindex;
  __u32 sequence, acknowledged; /* TCP */
  __u16 length;                 /* of the (one) IP packet */
  __u8 tcp_flags;
  __u8 is_v6;
  __u8 is_error; /* ICMP */
  __u8 is_reply; /* goes from endpoint to client */
  __u8 is_steady;
  __u8 tags; /* VLAN */
  __u8 next_family;
  struct hop hop;
  __be32 next[4]; /* next hop, IPv4 in the first word */
};

/* What the steps hand on to each other. In a map rather than on the stack: stacks are small, and the verifier, which
 * does not follow what is in a map, need not walk every step again for every kind of packet. For the same reason the
 * steps that few packets take are global functions without pointers among their arguments: it walks each just once. */
struct work {
  struct packet packet;
  struct flow_key client; /* of the flow that a reply belongs to */
  struct flow draft;      /* of a new flow */
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct work);
} packet_work SEC(".maps");

/* Outcomes by name, one struct a CPU. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct packet_counts);
} packet_counts SEC(".maps");

#endif
