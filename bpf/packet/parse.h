/* SPDX-License-Identifier: GPL-2.0-only */
/* From bytes to a tuple. Whatever is not plainly TCP, UDP or an ICMP error goes to the stack as it is, each for its own
 * reason: a splitter is no firewall. Headers are where they are looked for or nowhere: no options, no extensions. */
#ifndef WEIR_BPF_PACKET_PARSE_H
#define WEIR_BPF_PACKET_PARSE_H

#include "packet.h"

struct vlan_header {
  __be16 tag;
  __be16 protocol;
};

#define IP_FRAGMENT 0x3fff /* more to come, or not the first */
#define IP_LATER_FRAGMENT 0x1fff
#define ICMP_HEADER 8

/* Bytes that a program may want to look at: link layer with tags, two IPv6 headers, ICMP, TCP. */
#define HEADERS_MOST (ETH_HLEN + MAX_VLAN_TAGS * 4 + 2 * sizeof(struct ipv6hdr) + ICMP_HEADER + sizeof(struct tcphdr))

static __always_inline enum action parse_tcp(const struct tcphdr* tcp, const void* end, struct packet* packet,
                                             __u32 before) {
  if ((const void*)(tcp + 1) > end || tcp->doff < 5) {
    TALLY(truncated);
    return TO_STACK;
  }
  const __u32 headers = before + tcp->doff * 4;
  if (packet->gso_size) packet->length = (__u16)(packet->gso_size + headers);
  if (packet->length < headers) {
    TALLY(truncated);
    return TO_STACK;
  }
  set_ports_of_key(&packet->tuple, tcp);
  packet->sequence = bpf_ntohl(tcp->seq);
  packet->acknowledged = bpf_ntohl(tcp->ack_seq);
  packet->tcp_flags = ((const __u8*)tcp)[13];
  return GO_ON;
}

static __always_inline enum action parse_udp(const struct udphdr* udp, const void* end, struct packet* packet,
                                             __u32 before) {
  if (packet->gso_size) packet->length = (__u16)(packet->gso_size + before + sizeof(*udp));
  if ((const void*)(udp + 1) > end || packet->length < before + sizeof(*udp)) {
    TALLY(truncated);
    return TO_STACK;
  }
  set_ports_of_key(&packet->tuple, udp);
  return GO_ON;
}

/* The ports of the packet that an error is about, the other way round. `before`: bytes of the IP packet before them. */
static __always_inline enum action parse_inner_ports(const __be16* ports, const void* end, struct packet* packet,
                                                     __u32 before) {
  const __u8 protocol = packet->tuple.protocol;
  if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) {
    TALLY(other_protocol);
    return TO_STACK;
  }
  /* At least eight bytes are quoted (RFC 792, RFC 4443). */
  if ((const void*)(ports + 4) > end || packet->length < before + 8) {
    TALLY(truncated);
    return TO_STACK;
  }
  packet->tuple.source_port = ports[1];
  packet->tuple.destination_port = ports[0];
  packet->is_error = 1;
  return GO_ON;
}

/* Errors: unreachable, source quench, time exceeded, parameter problem. */
static __always_inline enum action parse_icmp4(const struct icmp_header* icmp, const void* end, struct packet* packet) {
  const struct iphdr* inner = (const void*)(icmp + 1);
  if ((const void*)(inner + 1) > end) {
    TALLY(truncated);
    return TO_STACK;
  }
  if (icmp->type != 3 && icmp->type != 4 && icmp->type != 11 && icmp->type != 12) {
    TALLY(other_protocol);
    return TO_STACK;
  }
  if (inner->version != 4 || inner->ihl != 5) {
    TALLY(ip_options);
    return TO_STACK;
  }
  if (inner->frag_off & bpf_htons(IP_LATER_FRAGMENT)) {
    TALLY(fragment);
    return TO_STACK;
  }
  set_protocol(&packet->tuple, inner->protocol);
  set_v4_address(packet->tuple.source, inner->daddr);
  set_v4_address(packet->tuple.destination, inner->saddr);
  return parse_inner_ports((const void*)(inner + 1), end, packet, 2 * sizeof(*inner) + ICMP_HEADER);
}

static __always_inline enum action parse_v4(const struct iphdr* ip, const void* end, struct packet* packet,
                                            int forwards) {
  if ((const void*)(ip + 1) > end || ip->version != 4 || ip->ihl < 5) {
    TALLY(truncated);
    return TO_STACK;
  }
  if (ip->ihl != 5) {
    TALLY(ip_options);
    return TO_STACK;
  }
  packet->length = bpf_ntohs(ip->tot_len);
  if (!packet->gso_size && packet->length + packet->l3 > packet->frame) {
    TALLY(truncated);
    return TO_STACK;
  }
  if (ip->frag_off & bpf_htons(IP_FRAGMENT)) {
    TALLY(fragment);
    return TO_STACK;
  }
  if (forwards && ip->ttl <= 1) {
    TALLY(ttl_expired);
    return TO_STACK;
  }
  set_protocol(&packet->tuple, ip->protocol);
  set_v4_address(packet->tuple.source, ip->saddr);
  set_v4_address(packet->tuple.destination, ip->daddr);
  if (ip->protocol == IPPROTO_TCP) return parse_tcp((const void*)(ip + 1), end, packet, sizeof(*ip));
  if (ip->protocol == IPPROTO_UDP) return parse_udp((const void*)(ip + 1), end, packet, sizeof(*ip));
  if (ip->protocol == IPPROTO_ICMP) return parse_icmp4((const void*)(ip + 1), end, packet);
  TALLY(other_protocol);
  return TO_STACK;
}

static __always_inline int is_extension(__u8 protocol) {
  return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_DSTOPTS ||
         protocol == 135 /* mobility */ || protocol == 139 /* HIP */ || protocol == 140 /* Shim6 */;
}

/* What follows an IPv6 header, if it is for us. */
static __always_inline enum action check_next_header(__u8 protocol) {
  if (protocol == IPPROTO_FRAGMENT) {
    TALLY(fragment);
    return TO_STACK;
  }
  if (is_extension(protocol)) {
    TALLY(extension_header);
    return TO_STACK;
  }
  return GO_ON;
}

static __always_inline void set_v6_address(__be32* to, const struct in6_addr* from) {
  copy_address(to, from->in6_u.u6_addr32);
}

/* Errors: unreachable, too big, time exceeded, parameter problem. */
static __always_inline enum action parse_icmp6(const struct icmp_header* icmp, const void* end, struct packet* packet) {
  const struct ipv6hdr* inner = (const void*)(icmp + 1);
  if ((const void*)(icmp + 1) > end) {
    TALLY(truncated);
    return TO_STACK;
  }
  if (icmp->type < 1 || icmp->type > 4) {
    TALLY(other_protocol);
    return TO_STACK;
  }
  if ((const void*)(inner + 1) > end || inner->version != 6) {
    TALLY(truncated);
    return TO_STACK;
  }
  if (check_next_header(inner->nexthdr) != GO_ON) return TO_STACK;
  set_protocol(&packet->tuple, inner->nexthdr);
  set_v6_address(packet->tuple.source, &inner->daddr);
  set_v6_address(packet->tuple.destination, &inner->saddr);
  return parse_inner_ports((const void*)(inner + 1), end, packet, 2 * sizeof(*inner) + ICMP_HEADER);
}

static __always_inline enum action parse_v6(const struct ipv6hdr* ip, const void* end, struct packet* packet,
                                            int forwards) {
  if ((const void*)(ip + 1) > end || ip->version != 6) {
    TALLY(truncated);
    return TO_STACK;
  }
  packet->is_v6 = 1;
  const __u32 length = bpf_ntohs(ip->payload_len) + sizeof(*ip);
  if (!packet->gso_size && (length + packet->l3 > packet->frame || length > 0xffff)) {
    TALLY(truncated);
    return TO_STACK;
  }
  packet->length = (__u16)length;
  if (check_next_header(ip->nexthdr) != GO_ON) return TO_STACK;
  if (forwards && ip->hop_limit <= 1) {
    TALLY(ttl_expired);
    return TO_STACK;
  }
  set_protocol(&packet->tuple, ip->nexthdr);
  set_v6_address(packet->tuple.source, &ip->saddr);
  set_v6_address(packet->tuple.destination, &ip->daddr);
  if (ip->nexthdr == IPPROTO_TCP) return parse_tcp((const void*)(ip + 1), end, packet, sizeof(*ip));
  if (ip->nexthdr == IPPROTO_UDP) return parse_udp((const void*)(ip + 1), end, packet, sizeof(*ip));
  if (ip->nexthdr == IPPROTO_ICMPV6) return parse_icmp6((const void*)(ip + 1), end, packet);
  TALLY(other_protocol);
  return TO_STACK;
}

/* Fills in `packet`; `frame`, `gso_size`, `tags` (of the metadata) and `ifindex` are there already. `forwards`: the
 * packet is still to be forwarded, so it needs a hop. */
static __always_inline enum action parse(const void* data, const void* end, struct packet* packet, int forwards) {
  const struct ethhdr* link = data;
  const struct vlan_header* tag = (const void*)(link + 1);
  if ((const void*)(link + 1) > end) {
    TALLY(truncated);
    return TO_STACK;
  }
  __be16 protocol = link->h_proto;
  packet->l3 = ETH_HLEN;
  for (int i = 0; i < MAX_VLAN_TAGS; i++) {
    if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD)) break;
    if ((const void*)(tag + 1) > end) {
      TALLY(truncated);
      return TO_STACK;
    }
    protocol = tag->protocol;
    packet->tags++;
    packet->l3 += sizeof(*tag);
    tag++;
  }
  if (protocol == bpf_htons(ETH_P_IP)) return parse_v4((const void*)tag, end, packet, forwards);
  if (protocol == bpf_htons(ETH_P_IPV6)) return parse_v6((const void*)tag, end, packet, forwards);
  if (protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD))
    TALLY(many_tags);
  else
    TALLY(not_ip);
  return TO_STACK;
}

#endif
