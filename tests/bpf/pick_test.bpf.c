// SPDX-License-Identifier: GPL-2.0-only
// The pick of bpf/pick.h alone, run by BPF_PROG_TEST_RUN on generated splits: what the kernel makes of it is held
// against C++.

#include "pick.h"

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#define CASE_ENDPOINTS 4096
#define CASE_POINTS 1024

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct split);
} case_split SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, CASE_ENDPOINTS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct endpoint);
} case_endpoints SEC(".maps");

/* Cursor in, index of the endpoint (or PICK_NONE, or PICK_NONE - 1 for no destination) out. */
struct point_case {
  __u64 cursor;
  __u64 picked;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, CASE_POINTS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct point_case);
} case_points SEC(".maps");

__u32 next_case = 0;

WEIR_INLINE const struct endpoint* pick_endpoint_at(const struct pick_endpoints* unused, __u32 index) {
  (void)unused;
  return bpf_map_lookup_elem(&case_endpoints, &index);
}

/* One case a run; user space asks for as many runs as there are cases. */
SEC("socket")
int weir_pick_test(struct __sk_buff* ctx) {
  (void)ctx;
  __u32 zero = 0, index = next_case++;
  const struct split* split = bpf_map_lookup_elem(&case_split, &zero);
  struct point_case* point = bpf_map_lookup_elem(&case_points, &index);
  if (!split || !point) return 0;
  struct pick_place place;
  pick_destination(split, point->cursor, &place);
  point->picked = place.found ? pick_endpoint(0, &place) : PICK_NONE - 1;
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
