/* SPDX-License-Identifier: GPL-2.0-only */
/* What to do with a packet, whichever hook it came by: from outside in (ingress), and from the node's endpoints out
 * (egress). Nothing of the packet is changed here; see rewrite.h. */
#ifndef WEIR_BPF_PACKET_CORE_H
#define WEIR_BPF_PACKET_CORE_H

#include "admit.h"
#include "hop.h"

/* From the client to the endpoint. */
static __always_inline enum action carry_in(void* ctx, struct packet* packet, struct flow* flow, int is_xdp) {
  if (is_xdp && (flow->flags & FLOW_LOCAL)) {
    /* It goes up the stack anyway, and tc can translate what has no checksum yet. */
    TALLY(left_to_tc);
    return TO_STACK;
  }
  copy_address(packet->out.source, flow->source);
  copy_address(packet->out.destination, flow->endpoint);
  packet->out.source_port = flow->source_port;
  packet->out.destination_port = flow->endpoint_port;
  packet->out.protocol = packet->tuple.protocol;
  if (!(flow->flags & FLOW_LOCAL)) return find_way(ctx, packet, &flow->to_endpoint);
  note_look_without_way(packet, &flow->to_endpoint);
  return PASS_ON;
}

static __always_inline int changes(const struct packet* packet) {
  return !packet->is_steady && !packet->is_error;
}

/* A reply that came back to the node's own address and a reserved port. */
static __always_inline enum action take_reply(void* ctx, struct work* work, const struct north_config* config) {
  struct packet* packet = &work->packet;
  struct flow* flow = find_by_reply(work);
  if (!flow) return GO_ON;
  if (changes(packet) && !track_endpoint(packet, flow, config)) return DROP;
  packet->is_reply = 1;
  reverse_key(&packet->out, &work->client);
  return find_way(ctx, packet, &flow->to_client);
}

/* False: there was a flow, but it is over. */
static __always_inline int still_holds(const struct packet* packet, const struct flow* flow) {
  if (packet->is_error) return flow->expires > packet->now;
  if (flow->expires <= packet->now)
    TALLY(flow_expired);
  else if (is_pure_syn(packet) && is_over(flow))
    TALLY(flow_again);
  else
    return 1;
  forget(&packet->tuple, flow);
  return 0;
}

/* A packet that no frontend and no flow is for. */
static __always_inline enum action leave_alone(const struct packet* packet) {
  if (packet->is_error)
    TALLY(no_flow_icmp);
  else
    TALLY(not_ours);
  return TO_STACK;
}

static __always_inline int find_outside(const struct packet* packet, struct frontend* found) {
  struct frontend_key key = {};
  __builtin_memcpy(key.address, packet->tuple.destination, sizeof(key.address));
  key.port = packet->tuple.destination_port;
  key.protocol = packet->tuple.protocol;
  key.source = SOURCE_OUTSIDE;
  return find_frontend(&key, found) && (found->split || found->proxy_port);
}

/* A packet of no flow. */
static __always_inline int begin(const struct packet* packet, int fetch) {
  if (packet->is_error) return leave_alone(packet);
  struct frontend frontend;
  if (!find_outside(packet, &frontend)) {
    const int apart = is_pure_syn(packet) ? weir_keep_apart() : TO_STACK;
    return apart == GO_ON ? GO_ON : leave_alone(packet);
  }
  if (packet->tuple.protocol == IPPROTO_TCP && !is_pure_syn(packet)) {
    TALLY(no_flow);
    return TO_STACK;
  }
  if (frontend.proxy_port) {
    const int taken = weir_admit_to_proxy(frontend.proxy_port);
    if (taken != TO_SPLIT) return taken;
    if (!frontend.split || (frontend.flags & FRONTEND_REFUSE_WITHOUT_PROXY)) {
      TALLY(proxy_refused);
      return DROP;
    }
    TALLY(proxy_down);
  }
  return fetch ? weir_admit(frontend.split) : weir_admit_a(frontend.split);
}

/* The flow of a client's packet. `flow`: what `flows` has for it, if anything. None: `action` says what then. */
static __always_inline struct flow* find_or_begin(const struct packet* packet, struct flow* flow, int fetch,
                                                  int* action) {
  *action = GO_ON;
  if (!flow) flow = find_embryo(packet);
  if (flow && still_holds(packet, flow)) {
    if (is_pure_syn(packet) && flow->endpoint_state == SIDE_TAKEN) *action = weir_shift();
    return *action == GO_ON ? flow : 0;
  }
  *action = begin(packet, fetch);
  if (*action != GO_ON) return 0;
  flow = find_flow(packet);
  if (!flow) flow = find_embryo(packet);
  if (flow) return flow;
  TALLY(flow_failed);
  *action = DROP;
  return 0;
}

/* A port that answers of endpoints elsewhere come back to. */
static __always_inline int is_reserved(const struct north_config* config, __be16 port) {
  return (__u32)(bpf_ntohs(port) - config->first_port) < config->port_count;
}

static __always_inline int is_of_endpoint(const struct packet* packet) {
  const struct flow_key* tuple = &packet->tuple;
  return is_in_sieve(tuple->source, tuple->source_port, tuple->protocol);
}

static __always_inline int is_to_us(const struct packet* packet) {
  const struct flow_key* tuple = &packet->tuple;
  return is_in_sieve(tuple->destination, tuple->destination_port, tuple->protocol);
}

static __always_inline int ingress(void* ctx, struct packet* packet, int fetch, int is_xdp) {
  const struct north_config* config = find_config();
  struct work* work = find_work(); /* that the packet is part of */
  if (!config || !work) return TO_STACK;
  if (is_reserved(config, packet->tuple.destination_port) && is_of_endpoint(packet)) {
    const enum action taken = take_reply(ctx, work, config);
    if (taken != GO_ON) return taken;
  }
  if (!is_to_us(packet)) return leave_alone(packet);
  struct flow* flow = find_flow(packet);
  if (!flow || !is_steady(packet, flow, &flow->to_endpoint)) {
    int action;
    look_at_clock(packet);
    flow = find_or_begin(packet, flow, fetch, &action);
    if (!flow) return action;
    if (!packet->is_error) track_client(packet, flow, config);
  }
  return carry_in(ctx, packet, flow, is_xdp);
}

/* What leaves the node: answers of its own endpoints get the service's address. */
static __always_inline int egress(struct packet* packet) {
  const struct north_config* config = find_config();
  struct work* work = find_work();
  if (!config || !work) return TO_STACK;
  struct flow* flow = is_of_endpoint(packet) ? find_by_reply(work) : 0;
  if (!flow) {
    TALLY(not_translated);
    return TO_STACK;
  }
  if (changes(packet) && !track_endpoint(packet, flow, config)) return DROP;
  note_look_without_way(packet, &flow->to_client);
  packet->is_reply = 1;
  reverse_key(&packet->out, &work->client);
  return PASS_ON;
}

#endif
