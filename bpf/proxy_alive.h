/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether the node's proxy shows signs of life. */
#ifndef WEIR_BPF_PROXY_ALIVE_H
#define WEIR_BPF_PROXY_ALIVE_H

#include "choose.h"

static __always_inline const struct proxy_place* proxy_place_now(void) {
  const __u32 zero = 0;
  return bpf_map_lookup_elem(&proxy_place, &zero);
}

static __always_inline int proxy_is_alive(const struct proxy_place* place) {
  const __u32 zero = 0;
  if (!place || !(place->flags & PROXY_ENABLED)) return 0;
  const __u64* beat = bpf_map_lookup_elem(&proxy_beat, &zero);
  if (!beat) return 0;
  const __u64 last = *(const volatile __u64*)beat;
  BARRIER(); /* the clock is read after the beat: one from the future is garbage, and as good as none */
  return last && bpf_ktime_get_ns() - last < PROXY_BEAT_NS;
}

#endif
