/* SPDX-License-Identifier: GPL-2.0-only */
/* The first packet of a connection: frontend, pick, and a flow with both its halves. */
#ifndef WEIR_BPF_PACKET_ADMIT_H
#define WEIR_BPF_PACKET_ADMIT_H

#include "../proxy_alive.h"
#include "flow.h"
#include "hash_pick.h"

#define MINUS_EEXIST (-17)

static __always_inline __u64 tuple_hash(const struct flow_key* key) {
  __u32 words[sizeof(*key) / 4];
  __builtin_memcpy(words, key, sizeof(words));
  return hash_words(words, sizeof(words) / 4);
}

/* True when new flows come faster than they may. Then they are picked by a hash, so that the exact numbering of the
 * others is not used up, and kept apart, so that the others stay in the table. */
static __always_inline int is_flood(const struct packet* packet, const struct north_config* config) {
  const __u32 zero = 0;
  struct flow_rate* rate = bpf_map_lookup_elem(&flow_rates, &zero);
  struct north_state* state = bpf_map_lookup_elem(&north_state, &zero);
  if (!rate || !state || !config->flow_rate) return 0;
  if (packet->now - rate->begin > SECOND_NS / 10) {
    rate->begin = packet->now;
    rate->count = 0;
  }
  if (++rate->count <= config->flow_rate / 10) return 0;
  const __u64 until = packet->now + config->syn_ns;
  if (state->flood_until + SECOND_NS < until) state->flood_until = until;
  return 1;
}

/* Takes the drafted flow's reply tuple for this client; true if it is ours now. It is not while another flow lives on
 * it. */
static __always_inline int claim(const struct packet* packet, const struct flow_key* reply, int flood) {
  const struct flow_key* client = &packet->tuple;
  if (!flood && !bpf_map_update_elem(&reverse, reply, client, BPF_NOEXIST)) return 1;
  const struct flow_key* owner = bpf_map_lookup_elem(&reverse, reply);
  if (owner && !same_key(owner, client)) {
    const struct flow* flow = bpf_map_lookup_elem(&flows, owner);
    if (flow && flow->expires > packet->now && answers(reply, flow)) return 0;
  }
  void* map = flood ? (void*)&embryo_reverse : (void*)&reverse;
  return !bpf_map_update_elem(map, reply, client, BPF_ANY);
}

/* Takes a port of the reserved range, so that the endpoint sees a tuple that it knows from nowhere else. */
__noinline int weir_claim_port(__u32 flood) {
  struct work* work = find_work();
  const struct north_config* config = find_config();
  if (!work || !config) return 0;
  struct flow* flow = &work->draft;
  struct flow_key reply;
  reply_key(&reply, flow, work->packet.tuple.protocol);
  const __u32 last_quarter = config->port_count / 4;
  const __u32 begin = flood ? config->first_port + config->port_count - last_quarter : config->first_port;
  const __u32 count = flood ? last_quarter : config->port_count - last_quarter;
  if (!count) return 0;
  const __u64 hash = tuple_hash(&work->packet.tuple) + work->packet.now;
  for (__u32 i = 0; i < MAX_PORT_TRIES; i++) {
    reply.destination_port = bpf_htons((__u16)(begin + ((__u32)(hash >> 16) + i * 7919) % count));
    if (!claim(&work->packet, &reply, (int)flood)) continue;
    flow->source_port = reply.destination_port;
    return 1;
  }
  return 0;
}

/* How the endpoint is to see the client: as it is, if the endpoint is on this node and no other connection looks the
 * same to it. */
static __always_inline enum action claim_source(struct work* work, const struct north_config* config, int shift,
                                                int flood) {
  const struct flow_key* client = &work->packet.tuple;
  struct flow* flow = &work->draft;
  if (flow->flags & FLOW_LOCAL) {
    struct flow_key reply;
    copy_address(flow->source, client->source);
    flow->source_port = client->source_port;
    reply_key(&reply, flow, client->protocol);
    if (!shift && claim(&work->packet, &reply, flood)) return GO_ON;
    TALLY(port_shifted);
  } else {
    copy_address(flow->source, work->packet.is_v6 ? config->node_v6 : config->node_v4);
    if (!(flow->source[0] | flow->source[1] | flow->source[3])) {
      TALLY(no_node_address);
      return DROP;
    }
  }
  if (weir_claim_port((__u32)flood)) return GO_ON;
  TALLY(ports_exhausted);
  return DROP;
}

/* Puts the drafted flow into the table. `options`: shift (1), flood (2). Returns enum action. */
__noinline int weir_begin_flow(__u32 options) {
  struct work* work = find_work();
  const struct north_config* config = find_config();
  if (!work || !config) return TO_STACK;
  struct flow* flow = &work->draft;
  const struct flow_key* client = &work->packet.tuple;
  const int flood = (options & 2) != 0;
  const enum action claimed = claim_source(work, config, options & 1, flood);
  if (claimed != GO_ON) return claimed;
  put_in_sieve(flow->endpoint, flow->endpoint_port, client->protocol);
  flow->client_sequence = work->packet.sequence;
  flow->client_state = SIDE_SPOKE;
  flow->expires = work->packet.now + lifetime(flow, client->protocol, config);
  const long error = flood ? bpf_map_update_elem(&embryos, client, flow, BPF_ANY)
                           : bpf_map_update_elem(&flows, client, flow, BPF_NOEXIST);
  if (error && error != MINUS_EEXIST /* another CPU was faster with the same packet */) {
    struct flow_key reply;
    reply_key(&reply, flow, client->protocol);
    bpf_map_delete_elem(&reverse, &reply);
    TALLY(flow_failed);
    return DROP;
  }
  if (flood)
    TALLY(flood_picked);
  else
    TALLY(flow_new);
  return GO_ON;
}

/* A SYN past every frontend to an endpoint's own address, from a port that a translated connection already shows to
 * that endpoint: the two would be one to it, and its answers would all go to the other. Returns enum action. */
__noinline int weir_keep_apart(void) {
  struct work* work = find_work();
  if (!work) return TO_STACK;
  const struct flow_key* client = &work->packet.tuple;
  struct flow* flow = &work->draft;
  struct flow_key reply;
  reverse_key(&reply, client);
  const struct flow_key* owner = bpf_map_lookup_elem(&reverse, &reply);
  if (!owner) return TO_STACK;
  const struct flow* other = bpf_map_lookup_elem(&flows, owner);
  if (!other || other->expires <= work->packet.now || !answers(&reply, other)) {
    bpf_map_delete_elem(&reverse, &reply);
    return TO_STACK;
  }
  /* The same SYN, translated on another device below this one. */
  if (other->client_sequence == work->packet.sequence) return TO_STACK;
  __builtin_memset(flow, 0, sizeof(*flow));
  copy_address(flow->endpoint, client->destination);
  flow->endpoint_port = client->destination_port;
  flow->flags = other->flags;
  if (weir_begin_flow(1) != GO_ON) return TO_STACK;
  TALLY(direct_shifted);
  return GO_ON;
}

/* The proof that sk_lookup asks for, under what the node's own sockets see as the client. */
static __always_inline int vouch_for(const struct flow* flow) {
  struct redirect_key key = {};
  const struct redirect value = {};
  __builtin_memcpy(key.client_address, flow->source, sizeof(key.client_address));
  key.client_port = flow->source_port;
  key.proxy_port = flow->endpoint_port;
  return !bpf_map_update_elem(&redirects, &key, &value, BPF_ANY);
}

/* The endpoint takes the flow's tuple for another connection's: another port for its client's next SYN. */
__noinline int weir_shift(void) {
  struct work* work = find_work();
  if (!work) return DROP;
  struct flow* flow = bpf_map_lookup_elem(&flows, &work->packet.tuple);
  if (!flow) return DROP;
  work->draft = *flow;
  if (!weir_claim_port(0)) {
    TALLY(ports_exhausted);
    return DROP;
  }
  flow->source_port = work->draft.source_port;
  flow->client_sequence = work->packet.sequence;
  flow->endpoint_state = 0;
  if (flow->counter == COUNTER_NONE) vouch_for(flow);
  TALLY(port_shifted);
  return GO_ON;
}

static __always_inline enum reading read_split_by_hash(__u32 id, __u64 hash, struct pick_place* place) {
  const struct split* split = bpf_map_lookup_elem(&splits, &id);
  if (!split) return READING_MISSING;
  const __u64 stamp = *(const volatile __u64*)&split->stamp;
  BARRIER();
  pick_destination_by_hash(split, hash, place);
  BARRIER();
  return *(const volatile __u64*)&split->stamp == stamp ? READING_DONE : READING_AGAIN;
}

static __always_inline enum outcome choose_by_hash(const struct packet* packet, __u32 id, struct choice* choice) {
  struct pick_place place = {};
  switch (read_split_by_hash(id, tuple_hash(&packet->tuple), &place)) {
    case READING_AGAIN:
      return REFUSE;
    case READING_MISSING:
      return LEAVE_ALONE;
    default:
      break;
  }
  if (place.found && !place.count) return REFUSE;
  return place.found && read_endpoint(&place, id, !packet->is_v6, choice) ? CONNECT_TO_ENDPOINT : LEAVE_ALONE;
}

static __always_inline enum action draft_flow(struct flow* flow, __u32 split, const struct choice* choice, int flood) {
  __builtin_memset(flow, 0, sizeof(*flow));
  copy_address(flow->endpoint, choice->address.words);
  flow->endpoint_port = choice->port;
  flow->counter = choice->counter;
  flow->split = split;
  flow->flags = choice->flags & ENDPOINT_LOCAL ? FLOW_LOCAL : 0;
  const enum action begun = weir_begin_flow(flood ? 2 : 0);
  if (begun == GO_ON) count_picked(choice->counter);
  return begun;
}

/* A packet of no flow to a frontend of `split`. GO_ON: now there is one. */
static __always_inline enum action admit(__u32 split, int fetch) {
  struct work* work = find_work();
  const struct north_config* config = find_config();
  if (!work || !config) return TO_STACK;
  struct choice choice = {};
  struct address dialled;
  copy_address(dialled.words, work->packet.tuple.destination);
  const int flood = is_flood(&work->packet, config);
  switch (flood ? choose_by_hash(&work->packet, split, &choice) : choose(split, &dialled, fetch, &choice)) {
    case CONNECT_TO_ENDPOINT:
      return draft_flow(&work->draft, split, &choice, flood);
    case REFUSE:
      TALLY(no_endpoint);
      return DROP;
    default:
      TALLY(bad_value);
      return TO_STACK;
  }
}

/* A SYN to a frontend whose rules need the request: the proxy is an endpoint of this node, at the node's address and
 * the frontend's port. TO_SPLIT: it cannot have it. */
__noinline int weir_admit_to_proxy(__u32 port) {
  struct work* work = find_work();
  const struct north_config* config = find_config();
  if (!work || !config || work->packet.tuple.protocol != IPPROTO_TCP) return TO_SPLIT;
  if (!proxy_is_alive(proxy_place_now())) return TO_SPLIT;
  struct flow* flow = &work->draft;
  const __be32* node = work->packet.is_v6 ? config->node_v6 : config->node_v4;
  if (!(node[0] | node[1] | node[3])) return TO_SPLIT;
  const int flood = is_flood(&work->packet, config);
  __builtin_memset(flow, 0, sizeof(*flow));
  copy_address(flow->endpoint, node);
  flow->endpoint_port = (__be16)port;
  flow->counter = COUNTER_NONE;
  flow->flags = FLOW_LOCAL;
  const int begun = weir_begin_flow(flood ? 2 : 0);
  if (begun != GO_ON) return begun;
  if (!vouch_for(flow)) {
    TALLY(flow_failed);
    return DROP;
  }
  TALLY(proxied);
  return GO_ON;
}

__noinline int weir_admit(__u32 split) {
  return admit(split, 1);
}

/* For kernels before 5.12; see next_pick(). */
__noinline int weir_admit_a(__u32 split) {
  return admit(split, 0);
}

#endif
