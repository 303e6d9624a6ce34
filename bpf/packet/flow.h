/* SPDX-License-Identifier: GPL-2.0-only */
/* The flow table: finding a connection by either half, making a lost half anew, and when a connection is over. */
#ifndef WEIR_BPF_PACKET_FLOW_H
#define WEIR_BPF_PACKET_FLOW_H

#include "packet.h"

static __always_inline int after_flood(const struct packet* packet) {
  const __u32 zero = 0;
  const struct north_state* state = bpf_map_lookup_elem(&north_state, &zero);
  return state && state->flood_until > packet->now;
}

static __always_inline struct flow* find_flow(const struct packet* packet) {
  return bpf_map_lookup_elem(&flows, &packet->tuple);
}

static __always_inline struct flow* find_embryo(const struct packet* packet) {
  return after_flood(packet) ? bpf_map_lookup_elem(&embryos, &packet->tuple) : 0;
}

/* Both sides have spoken, neither has closed, and the flow was looked at some ticks ago. Its way out too, if it has
 * one: an MTU of 0 says that nobody asked for it. */
static __always_inline int is_in_the_middle(const struct flow* flow, const struct hop* hop) {
  return flow->client_state == (SIDE_SPOKE | SIDE_ACKED) && flow->endpoint_state == SIDE_SPOKE &&
         (__u32)bpf_jiffies64() - hop->tick < STEADY_TICKS;
}

/* True, and noted, for a packet that changes nothing of its flow. */
static __always_inline int is_steady(struct packet* packet, const struct flow* flow, const struct hop* hop) {
  packet->is_steady =
      !packet->is_error && !(packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) && is_in_the_middle(flow, hop);
  return packet->is_steady;
}

static __always_inline void note_look(const struct packet* packet, struct hop* hop) {
  if (!packet->is_steady) hop->tick = (__u32)bpf_jiffies64();
}

/* The same where the stack finds the way. Not if one was ever asked for: the tick is that one's, too. */
static __always_inline void note_look_without_way(const struct packet* packet, struct hop* hop) {
  if (!hop->mtu) note_look(packet, hop);
}

/* Tuple of the endpoint's packets. */
static __always_inline void reply_key(struct flow_key* key, const struct flow* flow, __u8 protocol) {
  copy_address(key->source, flow->endpoint);
  copy_address(key->destination, flow->source);
  key->source_port = flow->endpoint_port;
  key->destination_port = flow->source_port;
  set_protocol(key, protocol);
}

/* A reverse entry may outlive its flow, and the client's tuple may by then be another flow's. */
static __always_inline int answers(const struct flow_key* reply, const struct flow* flow) {
  return same_address(reply->source, flow->endpoint) && same_address(reply->destination, flow->source) &&
         reply->source_port == flow->endpoint_port && reply->destination_port == flow->source_port;
}

static __always_inline int is_over(const struct flow* flow) {
  return ((flow->client_state | flow->endpoint_state) & SIDE_RST) ||
         (flow->client_state & flow->endpoint_state & SIDE_FIN);
}

static __always_inline __u64 lifetime(const struct flow* flow, __u8 protocol, const struct north_config* config) {
  if (protocol == IPPROTO_UDP) return flow->endpoint_state ? config->answered_ns : config->datagram_ns;
  if ((flow->client_state | flow->endpoint_state) & SIDE_RST) return config->reset_ns;
  if (flow->client_state & flow->endpoint_state & SIDE_FIN) return config->closing_ns;
  return flow->client_state & SIDE_ACKED ? config->established_ns : config->syn_ns;
}

static __always_inline void forget(const struct flow_key* client, const struct flow* flow) {
  struct flow_key reply;
  reply_key(&reply, flow, client->protocol);
  bpf_map_delete_elem(&reverse, &reply);
  bpf_map_delete_elem(&flows, client);
}

/* The work's flow has been in the table for a while: the table may have dropped its other half. */
__noinline int weir_renew_reverse(void) {
  struct work* work = find_work();
  if (!work) return 0;
  const struct flow* flow = bpf_map_lookup_elem(&flows, &work->packet.tuple);
  if (!flow) return 0;
  struct flow_key reply;
  reply_key(&reply, flow, work->packet.tuple.protocol);
  if (!bpf_map_lookup_elem(&reverse, &reply) &&
      !bpf_map_update_elem(&reverse, &reply, &work->packet.tuple, BPF_NOEXIST))
    TALLY(reverse_recreated);
  return 0;
}

/* Puts the end of the flow's life off; at most once a second, so that most packets write nothing to the entry. True if
 * it did. */
static __always_inline int keep_alive(const struct packet* packet, struct flow* flow,
                                      const struct north_config* config) {
  const __u64 wanted = packet->now + lifetime(flow, packet->tuple.protocol, config);
  const __u64 off = wanted > flow->expires ? wanted - flow->expires : flow->expires - wanted;
  if (off < SECOND_NS) return 0;
  flow->expires = wanted;
  return 1;
}

/* An embryo whose client proved that it got the endpoint's answer becomes a flow like others. */
__noinline int weir_promote(void) {
  struct work* work = find_work();
  if (!work) return 0;
  const struct flow_key* client = &work->packet.tuple;
  const struct flow* embryo = bpf_map_lookup_elem(&embryos, client);
  if (!embryo) return 0;
  struct flow_key reply;
  reply_key(&reply, embryo, client->protocol);
  if (bpf_map_update_elem(&reverse, &reply, client, BPF_NOEXIST)) return 0;
  if (bpf_map_update_elem(&flows, client, embryo, BPF_NOEXIST)) return 0;
  bpf_map_delete_elem(&embryo_reverse, &reply);
  bpf_map_delete_elem(&embryos, client);
  TALLY(flood_promoted);
  return 0;
}

static __always_inline void set_state(__u8* state, __u8 bits) {
  if ((*state & bits) != bits) *state |= bits;
}

static __always_inline void track_client(struct packet* packet, struct flow* flow, const struct north_config* config) {
  __u8 seen = SIDE_SPOKE;
  if (packet->tuple.protocol == IPPROTO_TCP) {
    /* Only the right acknowledgement shows that the client is where it says it is. */
    if ((packet->tcp_flags & TCP_ACK) && (flow->endpoint_state & SIDE_SPOKE) &&
        packet->acknowledged == flow->expected_ack)
      seen |= SIDE_ACKED;
    if (packet->tcp_flags & TCP_FIN) seen |= SIDE_FIN;
    if (packet->tcp_flags & TCP_RST) seen |= SIDE_RST;
  } else if (flow->endpoint_state & SIDE_SPOKE) {
    seen |= SIDE_ACKED;
  }
  const int proven = seen & ~flow->client_state & SIDE_ACKED;
  set_state(&flow->client_state, seen);
  const int renewed = keep_alive(packet, flow, config);
  if (proven && after_flood(packet))
    weir_promote();
  else if (renewed && (flow->client_state & SIDE_ACKED))
    weir_renew_reverse();
}

/* False: this is no answer to the flow's client. The endpoint has another connection with that address and port, one
 * that the client made past us or whose end we did not see, and speaks of that one. Were it passed on, the client's
 * reset would end that one, and its SYN would never be answered. */
static __always_inline int track_endpoint(struct packet* packet, struct flow* flow, const struct north_config* config) {
  __u8 seen = SIDE_SPOKE;
  if (packet->tuple.protocol == IPPROTO_TCP) {
    if (!(flow->endpoint_state & ~SIDE_TAKEN) && !(packet->tcp_flags & (TCP_SYN | TCP_RST))) {
      set_state(&flow->endpoint_state, SIDE_TAKEN);
      TALLY(tuple_taken);
      return 0;
    }
    if (packet->tcp_flags & TCP_SYN) flow->expected_ack = packet->sequence + 1;
    if (packet->tcp_flags & TCP_FIN) seen |= SIDE_FIN;
    if (packet->tcp_flags & TCP_RST) seen |= SIDE_RST;
  }
  set_state(&flow->endpoint_state, seen);
  keep_alive(packet, flow, config);
  return 1;
}

/* The flow that a reverse entry tells of, made anew: the table has dropped it. What it had done before is not known; as
 * the endpoint is still talking, it is taken for established. */
__noinline int weir_recreate(void) {
  struct work* work = find_work();
  const struct north_config* config = find_config();
  if (!work || !config) return 0;
  const struct flow_key *reply = &work->packet.tuple, *client = &work->client;
  struct flow* flow = &work->draft;
  __builtin_memset(flow, 0, sizeof(*flow));
  copy_address(flow->endpoint, reply->source);
  copy_address(flow->source, reply->destination);
  flow->endpoint_port = reply->source_port;
  flow->source_port = reply->destination_port;
  flow->flags = same_address(reply->destination, client->source) ? FLOW_LOCAL : 0;
  flow->client_state = SIDE_SPOKE | SIDE_ACKED;
  flow->endpoint_state = SIDE_SPOKE;
  flow->expires = work->packet.now + lifetime(flow, reply->protocol, config);
  if (!bpf_map_update_elem(&flows, client, flow, BPF_NOEXIST)) TALLY(flow_recreated);
  return 0;
}

/* As find_by_reply(), among the connections begun in a flood. */
static __always_inline struct flow* find_embryo_by_reply(struct work* work) {
  const struct packet* packet = &work->packet;
  const struct flow_key* known = bpf_map_lookup_elem(&embryo_reverse, &packet->tuple);
  if (!known) return 0;
  work->client = *known;
  struct flow* embryo = bpf_map_lookup_elem(&embryos, &work->client);
  return embryo && answers(&packet->tuple, embryo) && embryo->expires > packet->now ? embryo : 0;
}

/* The flow that this packet is an answer of; fills in the client's tuple. */
static __always_inline struct flow* find_by_reply(struct work* work) {
  struct packet* packet = &work->packet;
  const struct flow_key* known = bpf_map_lookup_elem(&reverse, &packet->tuple);
  if (!known) {
    look_at_clock(packet);
    return after_flood(packet) ? find_embryo_by_reply(work) : 0;
  }
  work->client = *known;
  struct flow* flow = bpf_map_lookup_elem(&flows, &work->client);
  if (flow && answers(&packet->tuple, flow) && is_steady(packet, flow, &flow->to_client)) return flow;
  look_at_clock(packet);
  if (!flow) {
    weir_recreate();
    flow = bpf_map_lookup_elem(&flows, &work->client);
  }
  if (flow && answers(&packet->tuple, flow)) {
    if (flow->expires > packet->now) return flow;
    TALLY(flow_expired);
    forget(&work->client, flow);
    return 0;
  }
  bpf_map_delete_elem(&reverse, &packet->tuple);
  return 0;
}

#endif
