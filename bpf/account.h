/* SPDX-License-Identifier: GPL-2.0-only */
/* Counting: verdicts by name, connections by endpoint. Atomic throughout: a cgroup program may be preempted, and
 * another then runs on the same CPU. */
#ifndef WEIR_BPF_ACCOUNT_H
#define WEIR_BPF_ACCOUNT_H

#include "maps.h"

#define ADD(pointer, amount) ((void)__sync_fetch_and_add(pointer, amount))

#define COUNT(name)                                                         \
  do {                                                                      \
    __u32 count_zero_ = 0;                                                  \
    struct verdicts* count_ = bpf_map_lookup_elem(&verdicts, &count_zero_); \
    if (count_) ADD(&count_->name, 1);                                      \
  } while (0)

static __always_inline void count_picked(__u32 id) {
  struct counter* counter = bpf_map_lookup_elem(&counters, &id);
  if (counter) ADD(&counter->picked, 1);
}

static __always_inline void count_opened(__u32 id) {
  struct counter* counter = bpf_map_lookup_elem(&counters, &id);
  if (counter) ADD(&counter->opened, 1);
}

static __always_inline void count_closed(__u32 id) {
  struct counter* counter = bpf_map_lookup_elem(&counters, &id);
  if (counter) ADD(&counter->closed, 1);
}

#endif
