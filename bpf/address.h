/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of the hooks' contexts as 16 bytes, and back. */
#ifndef WEIR_BPF_ADDRESS_H
#define WEIR_BPF_ADDRESS_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

struct address {
  __u32 words[4]; /* network order */
};

static __always_inline void address_from_v4(struct address* address, __u32 v4) {
  address->words[0] = 0;
  address->words[1] = 0;
  address->words[2] = bpf_htonl(0xffff);
  address->words[3] = v4;
}

static __always_inline void address_from_v6(struct address* address, const struct bpf_sock_addr* ctx) {
  address->words[0] = ctx->user_ip6[0];
  address->words[1] = ctx->user_ip6[1];
  address->words[2] = ctx->user_ip6[2];
  address->words[3] = ctx->user_ip6[3];
}

/* 0 for an IPv4 address. One test instead of three: each branch here would double what the verifier has to walk. */
static __always_inline __u32 address_prefix_off_v4(const struct address* address) {
  return address->words[0] | address->words[1] | (address->words[2] ^ bpf_htonl(0xffff));
}

static __always_inline void write_v4(struct bpf_sock_addr* ctx, const struct address* address, __be16 port) {
  ctx->user_ip4 = address->words[3];
  ctx->user_port = port;
}

static __always_inline void write_v6(struct bpf_sock_addr* ctx, const struct address* address, __be16 port) {
  ctx->user_ip6[0] = address->words[0];
  ctx->user_ip6[1] = address->words[1];
  ctx->user_ip6[2] = address->words[2];
  ctx->user_ip6[3] = address->words[3];
  ctx->user_port = port;
}

#define AF_INET 2

#define FIELD(name) (*(volatile __typeof__(name)*)&(name))

/* Contexts' fields are read before they are chosen from: of two loads in two branches the compiler would make one of a
 * computed place, which the verifier refuses. */
static __always_inline void choose_address(struct address* address, int is_v4, __u32 v4, const __u32* v6) {
  address->words[0] = is_v4 ? 0 : v6[0];
  address->words[1] = is_v4 ? 0 : v6[1];
  address->words[2] = is_v4 ? bpf_htonl(0xffff) : v6[2];
  address->words[3] = is_v4 ? v4 : v6[3];
}

#endif
