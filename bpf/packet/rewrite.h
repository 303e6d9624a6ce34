/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses, ports and checksums. All of it is written into the packet directly but one: the transport checksum of a
 * socket buffer, which may not be there yet (a local sender leaves it to the device) and is the kernel's to mend.
 *
 * Differences are sums in ones' complement over 16 bits kept in 64 (RFC 1624, equation 3): a checksum that was right
 * stays right, one that was wrong stays wrong. */
#ifndef WEIR_BPF_PACKET_REWRITE_H
#define WEIR_BPF_PACKET_REWRITE_H

#include "parse.h"

struct differences {
  __u64 pseudo; /* of the addresses, as in the pseudo-header */
  __u64 plain;  /* of what the transport checksum covers itself */
};

static __always_inline __u64 differ(__u64 sum, __u32 old, __u32 new) {
  return sum + (__u32)~old + new;
}

static __always_inline __u64 differ16(__u64 sum, __u16 old, __u16 new) {
  return sum + (__u16)~old + new;
}

static __always_inline __u32 fold32(__u64 sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  return (__u32)(sum + (sum >> 32));
}

static __always_inline __u16 fold16(__u64 sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (__u16)(sum + (sum >> 16));
}

static __always_inline __u16 mend(__u16 check, __u64 difference) {
  return (__u16)~fold16((__u16)~check + difference);
}

/* UDP: 0 is "none" and stays; what comes to 0 is written as its other form (RFC 768). */
static __always_inline void mend_udp(__sum16* check, __u64 difference) {
  if (!*check) return;
  const __u16 mended = mend(*check, difference);
  *check = mended ? mended : 0xffff;
}

typedef __u16 half __attribute__((may_alias));

/* By halves: struct ethhdr is packed, and the compiler would copy it by bytes. */
static __always_inline void set_link(struct ethhdr* link, const struct hop* hop) {
  half* to = (half*)link;
  const half *destination = (const half*)hop->to, *source = (const half*)hop->from;
  to[0] = destination[0];
  to[1] = destination[1];
  to[2] = destination[2];
  to[3] = source[0];
  to[4] = source[1];
  to[5] = source[2];
}

static __always_inline void set_v4(struct iphdr* ip, __be32 source, __be32 destination) {
  __u64 sum = differ(0, ip->saddr, source);
  sum = differ(sum, ip->daddr, destination);
  ip->saddr = source;
  ip->daddr = destination;
  ip->check = mend(ip->check, sum);
}

static __always_inline void take_hop_v4(struct iphdr* ip) {
  __be16* word = (__be16*)&ip->ttl; /* with the protocol */
  const __be16 old = *word, new = bpf_htons((__u16)(bpf_ntohs(old) - 0x100));
  *word = new;
  ip->check = mend(ip->check, differ16(0, old, new));
}

static __always_inline void set_v6(struct in6_addr* to, const __be32* from) {
  copy_address(to->in6_u.u6_addr32, from);
}

static __always_inline __u64 differ_address(__u64 sum, const __be32* old, const __be32* new) {
  sum = differ(sum, old[0], new[0]);
  sum = differ(sum, old[1], new[1]);
  sum = differ(sum, old[2], new[2]);
  return differ(sum, old[3], new[3]);
}

static __always_inline void find_differences(const struct packet* packet, struct differences* found) {
  const struct flow_key *old = &packet->tuple, *new = &packet->out;
  found->pseudo = differ(0, old->source[3], new->source[3]);
  found->pseudo = differ(found->pseudo, old->destination[3], new->destination[3]);
  if (packet->is_v6)
    found->pseudo = differ_address(differ_address(0, old->source, new->source), old->destination, new->destination);
  found->plain = differ16(0, old->source_port, new->source_port);
  found->plain = differ16(found->plain, old->destination_port, new->destination_port);
}

/* TCP or UDP at `at`. `check`: mend the checksum too. 0: not all there. */
static __always_inline int set_ports(void* at, const void* end, const struct packet* packet,
                                     const struct differences* found, int check) {
  struct udphdr* udp = at;
  struct tcphdr* tcp = at;
  if ((const void*)(udp + 1) > end) return 0;
  udp->source = packet->out.source_port;
  udp->dest = packet->out.destination_port;
  if (!check) return 1;
  if (packet->tuple.protocol == IPPROTO_UDP) {
    mend_udp(&udp->check, found->pseudo + found->plain);
    return 1;
  }
  if ((const void*)(tcp + 1) > end) return 0;
  tcp->check = mend(tcp->check, found->pseudo + found->plain);
  return 1;
}

/* The quoted packet of an ICMP error goes the other way: its source is our destination. Returns the difference of all
 * that changed in it but addresses. */
static __always_inline __u64 set_quoted_ports(void* at, const void* end, const struct packet* packet,
                                              const struct differences* found, int quoted) {
  struct udphdr* udp = at;
  struct tcphdr* tcp = at;
  __u64 sum = found->plain;
  if ((const void*)(udp + 1) > end) return sum;
  udp->source = packet->out.destination_port;
  udp->dest = packet->out.source_port;
  if (packet->tuple.protocol == IPPROTO_UDP) {
    const __u16 old = udp->check;
    mend_udp(&udp->check, found->pseudo + found->plain);
    return differ16(sum, old, udp->check);
  }
  /* Only if the quote goes that far; what follows it is padding. */
  if (quoted < (int)sizeof(*tcp) || (const void*)(tcp + 1) > end) return sum;
  const __u16 old = tcp->check;
  tcp->check = mend(old, found->pseudo + found->plain);
  return differ16(sum, old, tcp->check);
}

/* Who an error comes from: the one that it is about, as the receiver knows it, where the true sender is hidden behind
 * the translation; else who sent it. */
static __always_inline int hides_sender(const struct packet* packet) {
  return packet->is_reply || !same_address(packet->tuple.source, packet->out.source);
}

/* `found` becomes what the ICMP checksum, at a constant place, has to be mended by. */
static __always_inline int set_error_v4(struct iphdr* ip, const void* end, const struct packet* packet,
                                        struct differences* found) {
  struct icmp_header* icmp = (void*)(ip + 1);
  struct iphdr* inner = (void*)(icmp + 1);
  if ((const void*)(inner + 1) > end) return 0;
  set_v4(inner, packet->out.destination[3], packet->out.source[3]);
  /* The header's own checksum makes up for the addresses. */
  found->plain = set_quoted_ports(inner + 1, end, packet, found, packet->length - 2 * (int)sizeof(*ip) - ICMP_HEADER);
  found->pseudo = 0;
  set_v4(ip, hides_sender(packet) ? packet->out.source[3] : ip->saddr, packet->out.destination[3]);
  return 1;
}

static __always_inline int set_error_v6(struct ipv6hdr* ip, const void* end, const struct packet* packet,
                                        struct differences* found) {
  struct icmp_header* icmp = (void*)(ip + 1);
  struct ipv6hdr* inner = (void*)(icmp + 1);
  if ((const void*)(inner + 1) > end) return 0;
  set_v6(&inner->saddr, packet->out.destination);
  set_v6(&inner->daddr, packet->out.source);
  found->plain = found->pseudo +
                 set_quoted_ports(inner + 1, end, packet, found, packet->length - 2 * (int)sizeof(*ip) - ICMP_HEADER);
  found->pseudo = differ_address(0, ip->daddr.in6_u.u6_addr32, packet->out.destination);
  set_v6(&ip->daddr, packet->out.destination);
  if (!hides_sender(packet)) return 1;
  found->pseudo = differ_address(found->pseudo, ip->saddr.in6_u.u6_addr32, packet->out.source);
  set_v6(&ip->saddr, packet->out.source);
  return 1;
}

static __always_inline int rewrite_v4(void* at, const void* end, struct packet* packet, struct differences* found,
                                      int sends, int check) {
  struct iphdr* ip = at;
  if ((const void*)(ip + 1) > end) return 0;
  if (sends) take_hop_v4(ip);
  if (!packet->is_error) {
    set_v4(ip, packet->out.source[3], packet->out.destination[3]);
    return set_ports(ip + 1, end, packet, found, check);
  }
  if (!set_error_v4(ip, end, packet, found)) return 0;
  struct icmp_header* icmp = (void*)(ip + 1);
  if (check) icmp->checksum = mend(icmp->checksum, found->plain);
  return 1;
}

static __always_inline int rewrite_v6(void* at, const void* end, struct packet* packet, struct differences* found,
                                      int sends, int check) {
  struct ipv6hdr* ip = at;
  if ((const void*)(ip + 1) > end) return 0;
  if (sends) ip->hop_limit--;
  if (!packet->is_error) {
    set_v6(&ip->saddr, packet->out.source);
    set_v6(&ip->daddr, packet->out.destination);
    return set_ports(ip + 1, end, packet, found, check);
  }
  if (!set_error_v6(ip, end, packet, found)) return 0;
  struct icmp_header* icmp = (void*)(ip + 1);
  if (check) icmp->checksum = mend(icmp->checksum, found->plain + found->pseudo);
  return 1;
}

/* `check`: mend the transport checksum here; else `found` says by how much. `sends`: the packet leaves the node again,
 * as the stack would do it. 0: nothing was written that matters; drop it. */
static __always_inline int rewrite(void* data, const void* end, struct packet* packet, struct differences* found,
                                   int sends, int link, int check) {
  struct ethhdr* ethernet = data;
  if ((const void*)(ethernet + 1) > end) return 0;
  if (link) {
    set_link(ethernet, &packet->hop);
  }
  find_differences(packet, found);
  void* at = data + (packet->l3 & 31);
  return packet->is_v6 ? rewrite_v6(at, end, packet, found, sends, check)
                       : rewrite_v4(at, end, packet, found, sends, check);
}

static __always_inline void tally_carried(const struct packet* packet, int sends) {
  if (packet->is_error) TALLY(errors_translated);
  if (packet->is_reply)
    TALLY(replied);
  else if (sends)
    TALLY(forwarded);
  else
    TALLY(local);
}

#endif
