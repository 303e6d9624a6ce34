/* SPDX-License-Identifier: GPL-2.0-only */
/* All maps. Names are at most 15 characters (the kernel cuts longer ones), keys and values have BTF, so `bpftool map
 * dump` prints field names. User space sets the sizes before loading and pins each under its own name. */
#ifndef WEIR_BPF_MAPS_H
#define WEIR_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* What clients dial. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, DEFAULT_FRONTENDS);
  __type(key, struct frontend_key);
  __type(value, struct frontend);
} frontends SEC(".maps");

/* Split id -> complete split. Large and mostly empty, hence not preallocated. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, DEFAULT_SPLITS);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u32);
  __type(value, struct split);
} splits SEC(".maps");

/* Split id -> number of its next pick. Apart from the split, so that a change of weights leaves it alone. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, DEFAULT_SPLITS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, __u64);
} cursors SEC(".maps");

/* Ranges of endpoints, named by the splits' destinations. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, DEFAULT_ENDPOINTS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct endpoint);
} endpoints SEC(".maps");

/* Counter id -> whose it is and its numbers. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, DEFAULT_COUNTERS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct counter);
} counters SEC(".maps");

/* Socket cookie -> what was translated. Preallocated: no allocation in a connect, and half the cost of socket storage.
 */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, DEFAULT_SOCKETS);
  __type(key, __u64);
  __type(value, struct socket_record);
} sockets SEC(".maps");

/* Network namespace cookie -> source id of the one client in it. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, DEFAULT_SOURCES);
  __type(key, __u64);
  __type(value, __u32);
} sources SEC(".maps");

/* Where the proxy is, and whether there is one. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct proxy_place);
} proxy_place SEC(".maps");

/* The proxy's sign of life, CLOCK_MONOTONIC in ns; the proxy writes it through memory. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, __u64);
} proxy_beat SEC(".maps");

/* Port of the proxy (host order) -> the frontend it stands for. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, MAX_PROXY_PORTS);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u32);
  __type(value, struct proxy_port);
} proxy_ports SEC(".maps");

/* Addresses of this node at which the gateway's ports are the gateway's, where it is not all of them. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, MAX_GATEWAY_PLACES);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct gateway_place);
  __type(value, __u32);
} gateway_places SEC(".maps");

/* The listening sockets of the proxy's workers, by address family: see struct proxy_place. */
struct {
  __uint(type, BPF_MAP_TYPE_SOCKMAP);
  __uint(max_entries, 2 * MAX_PROXY_WORKERS);
  __type(key, __u32);
  __type(value, __u64);
} proxy_sockets SEC(".maps");

/* Records of redirected sockets that found no room in `sockets`, from connect() until the SYN leaves. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, MAX_SPILLED);
  __type(key, __u64);
  __type(value, struct socket_record);
} spilled SEC(".maps");

/* Who was redirected: made when the SYN leaves, looked up when it arrives, gone with the client's socket. Also what
 * leads from an MPTCP client's socket to the record of its subflow: see subflow.h. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, DEFAULT_REDIRECTS);
  __type(key, struct redirect_key);
  __type(value, struct redirect);
} redirects SEC(".maps");

/* Outcomes by name, one struct a CPU. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct verdicts);
} verdicts SEC(".maps");

/* Who wrote all this, and which generation it is. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct meta);
} meta SEC(".maps");

#endif
