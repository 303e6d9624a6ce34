/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the kernel programs and user space share: every map's key and value, limits and counters. Plain C, plain bytes:
 * fixed widths, padding written out as `pad` and zero, no unions, no bit-fields; addresses are 16 bytes in network
 * order with IPv4 as ::ffff:a.b.c.d. Id 0 means "none" everywhere.
 *
 * Maps are versioned one by one: a value may grow at its end (an older agent's is carried over, the new fields zero);
 * any other change of a map's layout raises its version in user space's map_specs(), and the map is made anew while all
 * others go on. Only a change of what the maps together mean raises ABI_VERSION. */
#ifndef WEIR_BPF_ABI_H
#define WEIR_BPF_ABI_H

#include <linux/types.h>

#ifdef __cplusplus
#define WEIR_STATIC_ASSERT static_assert
namespace weir::abi {
#else
#define WEIR_STATIC_ASSERT _Static_assert
#endif
#define WEIR_INLINE static inline __attribute__((always_inline))

enum {
  ABI_VERSION = 3,
  MAX_DESTINATIONS = 20, /* of one split: with 21 the kernel would give each split two kilobytes instead of one */
  MAX_FORKS = MAX_DESTINATIONS - 1,
  FORK_BASE = 32, /* a child below is a destination, others are forks + FORK_BASE */
  SPLIT_NAME_SIZE = 64,
  LABEL_SIZE = 12,
  NODE_NAME_SIZE = 64,
  MAX_SPLIT_RETRIES = 4,
  /* Halvings that find one of 2^20 weighted endpoints; the endpoints array may not be larger. */
  MAX_SEARCH_STEPS = 20,
  MAX_ENDPOINTS = 1 << 20,
  MAX_PROXY_PORTS = 1 << 14,
  MAX_PROXY_WORKERS = 256, /* of each address family */
  MAX_GATEWAY_PLACES = 4096,
  MAX_SPILLED = 4096,
  /* A beat of the proxy that is older than this, in ns, counts as none. */
  PROXY_BEAT_NS = 2000000000,
};

/* Entries when nothing else is asked for; user space may create the maps larger or smaller. */
enum {
  DEFAULT_FRONTENDS = 65536,
  DEFAULT_SPLITS = 65536,
  DEFAULT_ENDPOINTS = 1 << 18,
  DEFAULT_COUNTERS = 1 << 18,
  DEFAULT_SOCKETS = 131072,
  DEFAULT_SOURCES = 16384,
  DEFAULT_REDIRECTS = 65536,
};

enum {
  /* What packets that come to the node from outside are looked up by; entries of other sources do not hold for them. */
  SOURCE_OUTSIDE = 0xffffffffu,
};

/* `frontends`: what a client dials. */
struct frontend_key {
  __u8 address[16];
  __be16 port;
  __u8 protocol; /* IPPROTO_TCP */
  __u8 pad;
  /* 0: any client of this node; the id that `sources` gives a client's network namespace; or SOURCE_OUTSIDE. */
  __u32 source;
};
WEIR_STATIC_ASSERT(sizeof(struct frontend_key) == 24, "frontend_key is part of the kernel ABI");

enum frontend_flags {
  /* On the source 0 entry: entries with a source exist for this address and port and are to be looked up first. */
  FRONTEND_HAS_SOURCES = 1,
  /* With a proxy_port: refused where the proxy cannot have it, rather than split. */
  FRONTEND_REFUSE_WITHOUT_PROXY = 2,
};

struct frontend {
  /* frontend_check() of the key this element was written for. The kernel reuses a deleted element at once, also under a
   * reader's eyes: a reader that finds another key's check looks again. Kept in front: written before `split`. */
  __u64 check;
  __u32 split;       /* 0: none. Without a proxy_port either: left alone (there only for FRONTEND_HAS_SOURCES) */
  __u16 flags;       /* enum frontend_flags */
  __be16 proxy_port; /* 0: split. Else what stands for this frontend in `proxy_ports`; `split` is for want of a proxy */
};
WEIR_STATIC_ASSERT(sizeof(struct frontend) == 16, "frontend is part of the kernel ABI");

enum destination_flags {
  DESTINATION_WEIGHTED = 1, /* its endpoints' `last` are to be searched; else they share evenly */
};

/* One choice between two sides. A split's forks are a tree that ends in its destinations; see bpf/pick.h. */
struct split_fork {
  __u32 share; /* of the rarer side, of 2^32: 1 to 2^31 */
  __u8 rare;   /* destination, or fork + FORK_BASE */
  __u8 common;
  __u16 pad;
};
WEIR_STATIC_ASSERT(sizeof(struct split_fork) == 8, "split_fork is part of the kernel ABI");

/* One weighted part of a split; its endpoints are the range [first, first + count) of `endpoints`. */
struct split_destination {
  /* Last point (inclusive, of 2^32) of its share; the share before it ends at its first point - 1. For readers and for
   * modes that pick by a hash; the exact mode goes by the forks. */
  __u32 last;
  __u32 first;            /* index into `endpoints` */
  __u32 count;            /* 0: its share of connections is refused */
  __u32 key;              /* hash of host, port and subset: identity for counters */
  __u32 flags;            /* enum destination_flags */
  char label[LABEL_SIZE]; /* subset, or host without one; cut; for readers only */
};
WEIR_STATIC_ASSERT(sizeof(struct split_destination) == 32, "split_destination is part of the kernel ABI");

enum split_flags {
  SPLIT_FALLBACK = 1, /* rules need the request; this is the default route's split */
};

enum split_mode {
  SPLIT_EXACT = 0, /* by the number of the pick, from the split's cursor */
};

/* `splits`, by split id. One element is one complete split: replaced whole, never edited. */
struct split {
  /* Differs with every write. Elements are reused as frontends are: the programs read it before and after a pick. */
  __u64 stamp;
  __u64 key;        /* hash64 of the full name: identity across restarts */
  __u64 generation; /* in which this split last changed */
  __u64 start;      /* cursor when these weights began to hold: picks are numbered from there */
  __u64 phase;      /* hash of node and split: every node and split has an order of its own */
  __u32 flags;      /* enum split_flags */
  __u32 mode;       /* enum split_mode */
  __u32 destination_count;
  __u32 pad;
  char name[SPLIT_NAME_SIZE]; /* cut; for readers only */
  struct split_fork
      forks[MAX_FORKS + 1]; /* the first is the root, where there is more than one destination; the last is padding */
  struct split_destination destinations[MAX_DESTINATIONS];
};
WEIR_STATIC_ASSERT(sizeof(struct split) == 120 + 20 * 8 + 20 * 32, "split is part of the kernel ABI");

enum endpoint_flags {
  ENDPOINT_LOCAL = 1, /* on this node: outside traffic keeps its client's address */
};

/* `endpoints`: ranges that belong to one destination of one split each. */
struct endpoint {
  __u8 address[16];
  __be16 port;
  __u16 flags;   /* enum endpoint_flags */
  __u32 counter; /* index into `counters`; 0 is the shared one for endpoints that found no room */
  __u32 last;    /* last point (inclusive, of 2^32) of its part of the destination */
  __u32 split;   /* owner: the programs never follow a range that is not the split's own */
};
WEIR_STATIC_ASSERT(sizeof(struct endpoint) == 32, "endpoint is part of the kernel ABI");

/* `counters`: one endpoint of one destination of one split, kept across changes and restarts. */
struct counter {
  __u64 split_key; /* these four are the identity; split_key 0: free */
  __u32 destination_key;
  __be16 port;
  __u16 pad;
  __u8 address[16];
  __u64 picked; /* connections sent here */
  __u64 opened; /* of those, with a record in `sockets`; open now = opened - closed */
  __u64 closed;
  __u64 since; /* when counting began, Unix time in ns */
};
WEIR_STATIC_ASSERT(sizeof(struct counter) == 64, "counter is part of the kernel ABI");

enum {
  COUNTER_NONE = 0xffffffffu, /* of what no endpoint was picked for */
};

enum socket_flags {
  SOCKET_REDIRECTED = 1, /* to the proxy: the endpoint is the node's address and a port of the proxy */
};

/* `sockets`, by socket cookie: a translated or redirected socket. */
struct socket_record {
  __u8 service_address[16];
  __u8 endpoint_address[16];
  __be16 service_port;
  __be16 endpoint_port;
  __u32 counter; /* COUNTER_NONE: redirected */
  __u32 split;
  __u32 flags;             /* enum socket_flags */
  __u64 generation;        /* of the split that picked */
  __u8 client_address[16]; /* redirected, or a subflow's: what `redirects` knows it by */
  __be16 client_port;      /* 0: not known yet, or not in `redirects` */
  __u16 pad[3];
};
WEIR_STATIC_ASSERT(sizeof(struct socket_record) == 80, "socket_record is part of the kernel ABI");

/* `proxy_place`, one entry: where the proxy is. */
enum proxy_flags {
  PROXY_ENABLED = 1,
  PROXY_V4_LOOPBACK = 2, /* that address can be reached from the agent's own network namespace only */
  PROXY_V6_LOOPBACK = 4,
};

struct proxy_place {
  __u8 v4[16];  /* the node's address, ::ffff:a.b.c.d; all zero: none */
  __u8 v6[16];  /* all zero: none */
  __u64 cgroup; /* id of the proxy's own cgroup, whose connections are left alone; 0: none */
  __u64 netns;  /* cookie of the agent's network namespace; 0: not known (before 5.14) */
  __u32 flags;  /* enum proxy_flags */
  /* Listening sockets in `proxy_sockets`: those for IPv4 from 0 on, those for IPv6 from MAX_PROXY_WORKERS on. A socket
   * for both is there twice. */
  __u16 v4_workers;
  __u16 v6_workers;
};
WEIR_STATIC_ASSERT(sizeof(struct proxy_place) == 56, "proxy_place is part of the kernel ABI");

enum proxy_port_flags {
  /* A port of this node at which the proxy takes connections in for an ingress gateway, from anybody: `address` is all
   * zero and `port` the gateway's own port. */
  PROXY_PORT_GATEWAY = 1,
  /* Of these, only connections to an address in `gateway_places`. */
  PROXY_PORT_BY_ADDRESS = 2,
  /* Stands for the frontend as who is outside the node dials it, at whatever address. */
  PROXY_PORT_OUTSIDE = 4,
};

/* `proxy_ports`, by port in host order: the frontend that a port of the proxy stands for, for any client. */
struct proxy_port {
  __u8 address[16];
  __be16 port;
  __u16 flags; /* enum proxy_port_flags */
  __u16 pad[2];
  __u64 unused_since; /* Unix time in ns; 0: a frontend uses it */
};
WEIR_STATIC_ASSERT(sizeof(struct proxy_port) == 32, "proxy_port is part of the kernel ABI");

/* `gateway_places`: key. */
struct gateway_place {
  __u8 address[16];
};

/* `redirects`: proof that a connection to a port of the proxy was redirected there. For a subflow to an endpoint,
 * `proxy_port` is the endpoint's and nothing is proved. */
struct redirect_key {
  __u8 client_address[16];
  __be16 client_port;
  __be16 proxy_port;
};
WEIR_STATIC_ASSERT(sizeof(struct redirect_key) == 20, "redirect_key is part of the kernel ABI");

struct redirect {
  __u64 cookie; /* of the client's socket */
};
WEIR_STATIC_ASSERT(sizeof(struct redirect) == 8, "redirect is part of the kernel ABI");

/* `meta`: one entry. */
struct meta {
  __u32 abi; /* ABI_VERSION of whoever made the maps */
  __u32 pad;
  __u64 generation; /* last one applied completely */
  __u64 written_at; /* when, Unix time in ns */
  __u64 phase;      /* of this node: goes into its splits' phases */
  char node[NODE_NAME_SIZE];
};
WEIR_STATIC_ASSERT(sizeof(struct meta) == 96, "meta is part of the kernel ABI");

/* `verdicts`: how often each outcome happened, per CPU. One list for the struct and for every place that prints names.
 */
#define WEIR_VERDICTS(X)                                                               \
  X(lookups, "connect calls looked at")                                                \
  X(not_ours, "no frontend has this address and port: left alone")                     \
  X(translated, "sent to an endpoint")                                                 \
  X(source_matched, "decided by a rule for this client")                               \
  X(no_endpoint, "refused: the destination has no endpoint")                           \
  X(split_missing, "the frontend's split is not there: left alone")                    \
  X(split_retry, "the split was replaced during the pick: picked again")               \
  X(split_busy, "the split was replaced during each of the tries: refused")            \
  X(bad_value, "a map holds what the agent never writes: left alone")                  \
  X(record_full, "connected without a record: the sockets map is full")                \
  X(record_replaced, "the socket had connected before: its old record was closed")     \
  X(record_released, "a translated or redirected socket was closed")                   \
  X(peer_shown, "getpeername answered with the service's address")                     \
  X(redirected, "sent to the proxy")                                                   \
  X(proxy_exempt, "the proxy's own connection: left alone")                            \
  X(proxy_down, "no proxy, or no sign of life for 2 s: split by the default route")    \
  X(proxy_no_way, "no way to the proxy from this client: split by the default route")  \
  X(proxy_refused, "needs the proxy, which is down or out of reach: refused")          \
  X(proxy_handed, "a redirected connection reached the proxy")                         \
  X(proxy_direct, "reset: came to a port of the proxy without having been redirected") \
  X(proxy_no_socket, "reset: was redirected, but no worker of the proxy listens")      \
  X(gateway_handed, "a connection to a gateway's port reached the proxy")              \
  X(gateway_down, "came to a gateway's port while the proxy shows no sign of life")

struct verdicts {
#define WEIR_VERDICT_FIELD(name, help) __u64 name;
  WEIR_VERDICTS(WEIR_VERDICT_FIELD)
#undef WEIR_VERDICT_FIELD
};

#ifdef __cplusplus
}  // namespace weir::abi
#endif

#endif
