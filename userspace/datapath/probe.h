#pragma once
// What this node's kernel can do, found out by loading tiny programs and making tiny maps, never by its version. Needs
// the rights that loading needs; changes nothing.

#include <string>
#include <vector>

namespace weir::datapath {

struct Feature {
  std::string name;  // "set_retval"
  bool available = false;
  bool required = false;
  std::string since;    // kernel that brought it, "5.18"
  std::string what;     // what Weir does with it
  std::string without;  // what happens without; for required ones, that it cannot run
  std::string error;    // why the probe failed
  int code = 0;         // the same as errno
};

/// In a fixed order.
std::vector<Feature> probe_features();

/// The same as flags, for loading.
struct KernelFeatures {
  bool set_retval = false, sock_release = false, getpeername = false, fetch_add = false;
  bool sock_ops = false, sk_lookup = false, mptcp = false;
  bool coarse_clock = false, ipv6_checksum = false, tcx = false;  // for packets
  std::string missing;                                            // of what is required, in words; empty: none
  bool no_right = false;  // this process may not load programs: nothing is known of the kernel

  /// Whether connections can be sent to a proxy: without release, what vouches for one could be used by another.
  [[nodiscard]] bool proxy() const { return sock_ops && sk_lookup && sock_release; }
};
KernelFeatures kernel_features(const std::vector<Feature>& features);

}  // namespace weir::datapath
