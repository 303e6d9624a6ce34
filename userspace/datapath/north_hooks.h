#pragma once
// The packet programs' places on a device: XDP, tc ingress and egress. Links are pinned in `folder` as xdp_<ifindex>,
// in_<ifindex>, out_<ifindex> (the pin of a device's name would not do: bpffs takes no dots). Without tcx (before 6.6)
// tc programs are clsact filters, which need no pin to stay.

#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "datapath/north.h"
#include "datapath/north_device.h"

namespace weir::datapath {

struct NorthPrograms {
  int xdp = -1, tc_in = -1, tc_out = -1;
  bool tcx = false;  // this kernel has it
};

/// Both tc programs, ahead of others' (they see packets translated). Updates in place what is there. What it made anew
/// is added to `made`.
Result<void> attach_tc(const std::string& folder, const DeviceFacts& device, const NorthPrograms& programs,
                       std::vector<std::string>* made);
/// EBUSY: another's XDP program is there. Other errors: the driver does not take it.
Result<void> attach_xdp(const std::string& folder, const DeviceFacts& device, const NorthPrograms& programs,
                        std::vector<std::string>* made);
/// Nothing there is no error.
Result<void> detach_xdp(const std::string& folder, uint32_t ifindex);
Result<void> detach_tc(const std::string& folder, uint32_t ifindex);

/// Interface indices that have a pin in `folder`, or a clsact filter of ours.
Result<std::vector<uint32_t>> attached_devices(const std::string& folder);

/// Fills in tc, xdp, foreign and problem, judged from kernel and pins alone. `programs` with -1: any program of ours.
void read_hooks(const std::string& folder, NorthDeviceStatus* status);

}  // namespace weir::datapath
