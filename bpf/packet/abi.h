/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the packet programs and user space share, beside ../abi.h: flows, their addresses, limits and counters.
 * Addresses are 16 bytes in network order as four words, IPv4 as ::ffff:a.b.c.d. */
#ifndef WEIR_BPF_PACKET_ABI_H
#define WEIR_BPF_PACKET_ABI_H

#include "../abi.h"

#ifdef __cplusplus
namespace weir::abi {
#endif

enum {
  PACKET_ABI_VERSION = 2,
  DEFAULT_FLOWS = 1 << 18,
  DEFAULT_EMBRYOS = 1 << 14,
  MAX_PORT_TRIES = 16,       /* ports looked at for one new flow before it is refused */
  MAX_VLAN_TAGS = 2,         /* in the frame's own bytes */
  SECOND_NS = 1000000000,    /* how long a next hop is believed, and how often a flow's other half is looked after */
  STEADY_TICKS = 8,          /* of the kernel's clock (1 to 10 ms each): how long nothing of a flow is looked at anew */
  DEFAULT_FLOW_RATE = 50000, /* new flows a second and CPU before a flood is assumed */
};

/* Key of `flows`: the packets of one direction. For a client's packets as they come to the node. */
struct flow_key {
  __be32 source[4];
  __be32 destination[4];
  __be16 source_port;
  __be16 destination_port;
  __u8 protocol;
  __u8 pad[3];
};
WEIR_STATIC_ASSERT(sizeof(struct flow_key) == 40, "flow_key is part of the kernel ABI");

/* A next hop, as the routing table said a moment ago. */
struct hop {
  __u64 until;   /* ns of the monotonic clock: believed till then */
  __u32 ifindex; /* 0: not known */
  __u16 mtu;     /* largest IP packet that is known to fit */
  __u8 to[6];
  __u8 from[6];
  __u16 flags; /* enum device_flags, of that device */
  __u32 tick;  /* low half of jiffies when the flow was last looked at for a packet that goes this way */
};
WEIR_STATIC_ASSERT(sizeof(struct hop) == 32, "hop is part of the kernel ABI");

enum flow_flags {
  FLOW_LOCAL = 1, /* the endpoint is on this node */
};

/* What one side of a flow has been seen to do. Each side is written by the packets of that side only. */
enum side_state {
  SIDE_SPOKE = 1, /* client: SYN or datagram; endpoint: SYN-ACK or datagram */
  SIDE_ACKED = 2, /* the client has acknowledged the endpoint's SYN */
  SIDE_FIN = 4,
  SIDE_RST = 8,
  SIDE_TAKEN = 16, /* the endpoint answered a SYN with what belongs to another connection of that address and port */
};

/* `flows`, by the client's tuple: one connection, complete in itself. `reverse`, by the tuple of the endpoint's
 * packets, has the client's tuple only: with its own key that is enough to make this anew. */
struct flow {
  __be32 endpoint[4];
  __be32 source[4]; /* as the endpoint sees it: the client, or the node */
  __be16 endpoint_port;
  __be16 source_port;
  __u32 counter; /* index into `counters` */
  __u64 expires; /* ns of the monotonic clock */
  __u32 split;
  __u32 client_sequence; /* of the SYN */
  __u32 expected_ack;    /* what the client's next packet after the endpoint's SYN-ACK acknowledges */
  __u8 client_state;     /* enum side_state */
  __u8 endpoint_state;   /* enum side_state */
  __u16 flags;           /* enum flow_flags */
  struct hop to_endpoint;
  struct hop to_client;
};
WEIR_STATIC_ASSERT(sizeof(struct flow) == 128, "flow is part of the kernel ABI");

/* `north_config`, one entry. Written by user space, whole. All zero: nothing is carried to other nodes. */
struct north_config {
  __be32 node_v4[4]; /* what endpoints on other nodes see as source; all zero: none of this family */
  __be32 node_v6[4];
  __u16 first_port; /* reserved range, host order; the last quarter is for floods */
  __u16 port_count;
  __u32 flow_rate; /* new flows a second and CPU before they are picked by a hash and kept apart */
  __u64 syn_ns;    /* how long a flow lives without a packet: before its handshake is complete, */
  __u64 established_ns;
  __u64 closing_ns; /* after FINs of both sides, */
  __u64 reset_ns;
  __u64 datagram_ns; /* UDP without an answer yet, */
  __u64 answered_ns; /* and with */
};
WEIR_STATIC_ASSERT(sizeof(struct north_config) == 88, "north_config is part of the kernel ABI");

enum device_flags {
  DEVICE_TAKES_FRAMES = 1, /* XDP may send out of it: it has a native XDP program of ours, and is no veth */
};

/* `flow_rates`, per CPU: new flows in this tenth of a second. */
struct flow_rate {
  __u64 begin;
  __u64 count;
};

/* `north_state`, one entry. */
struct north_state {
  __u64 flood_until; /* written by the programs; ns of the monotonic clock: till then some flows are in `embryos` */
  __u32 abi;         /* PACKET_ABI_VERSION of whoever made the tables */
  __u32 pad;
};
WEIR_STATIC_ASSERT(sizeof(struct north_state) == 16, "north_state is part of the kernel ABI");

/* `packet_counts`: how often each outcome happened, per CPU. One list for the struct and for every place that prints
 * names. Each packet counts once among "to the stack", "carried" and "dropped", on each device that sees it. */
#define WEIR_PACKET_COUNTS(X)                                                                          \
  X(seen, "packets looked at")                                                                         \
  X(not_ip, "to the stack: neither IPv4 nor IPv6")                                                     \
  X(many_tags, "to the stack: more than two VLAN tags")                                                \
  X(truncated, "to the stack: its headers do not hold together")                                       \
  X(fragment, "to the stack: a fragment")                                                              \
  X(ip_options, "to the stack: IPv4 options")                                                          \
  X(extension_header, "to the stack: IPv6 extension header")                                           \
  X(ttl_expired, "to the stack: no hop left")                                                          \
  X(other_protocol, "to the stack: neither TCP, UDP nor an ICMP error")                                \
  X(not_ours, "to the stack: no frontend has this address and port")                                   \
  X(no_flow, "to the stack: TCP to a frontend, but no connection of ours and no SYN")                  \
  X(no_flow_icmp, "to the stack: an ICMP error about no connection of ours")                           \
  X(tagged, "to the stack: tagged, and to be sent out of another device")                              \
  X(not_translated, "to the stack: leaves the node, is no reply of ours")                              \
  X(bad_value, "to the stack: the split is not there, or a map holds what the agent never writes")     \
  X(left_to_tc, "to the stack from XDP: tc on the same device carries it")                             \
  X(no_route, "to the stack: no route")                                                                \
  X(no_neighbour, "to the stack: the next hop's address is being looked for")                          \
  X(forwarding_off, "to the stack: the device does not forward")                                       \
  X(too_big, "to the stack: larger than the way to the endpoint or client takes")                      \
  X(local, "carried: to an endpoint of this node")                                                     \
  X(forwarded, "carried: to an endpoint of another node")                                              \
  X(replied, "carried: back to the client")                                                            \
  X(errors_translated, "of the carried: ICMP errors")                                                  \
  X(no_endpoint, "dropped: the destination has no endpoint, or its split was replaced in every try")   \
  X(proxy_refused, "dropped: needs the proxy, which is down or out of reach")                          \
  X(no_node_address, "dropped: an endpoint of another node, and the node has no address of that kind") \
  X(ports_exhausted, "dropped: no reserved port is free for this endpoint")                            \
  X(flow_failed, "dropped: the flow table took no entry")                                              \
  X(tuple_taken, "dropped: an endpoint's answer that belongs to another connection")                   \
  X(flow_new, "flows begun")                                                                           \
  X(proxied, "of which, to the proxy")                                                                 \
  X(proxy_down, "of which, split by the default route for want of the proxy")                          \
  X(flow_expired, "flows found expired")                                                               \
  X(flow_again, "flows begun anew: the client reused its port")                                        \
  X(flow_recreated, "flows made anew from their reverse half: the table had dropped them")             \
  X(reverse_recreated, "reverse halves made anew from their flow: the table had dropped them")         \
  X(port_shifted, "flows with another client port: the endpoint knows this one from elsewhere")        \
  X(direct_shifted, "connections past every frontend, kept apart from one that was translated")        \
  X(flood_picked, "flows begun during a flood: picked by a hash, kept apart")                          \
  X(flood_promoted, "of which, completed their handshake")

struct packet_counts {
#define WEIR_PACKET_COUNT_FIELD(name, help) __u64 name;
  WEIR_PACKET_COUNTS(WEIR_PACKET_COUNT_FIELD)
#undef WEIR_PACKET_COUNT_FIELD
};

#ifdef __cplusplus
}  // namespace weir::abi
#endif

#endif
