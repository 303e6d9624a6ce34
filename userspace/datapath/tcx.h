#pragma once
// Of tcx (Linux 6.6), which the headers that Weir is built with do not know.

#include <linux/bpf.h>

#include <cstdint>

namespace weir::datapath {

constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46);
constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);
constexpr uint32_t kTcxLinkType = 11;  // BPF_LINK_TYPE_TCX

}  // namespace weir::datapath
