#include "datapath/north_hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "datapath/bpffs.h"
#include "datapath/kernel_object.h"
#include "datapath/libbpf_log.h"
#include "datapath/steps.h"
#include "datapath/tcx.h"

namespace weir::datapath {
namespace {

constexpr uint32_t kBefore = 1U << 3;  // BPF_F_BEFORE, of nobody: ahead of all

// Our filter's place among a device's clsact filters: the first, as near as priorities can say it.
constexpr uint32_t kFilterPriority = 1, kFilterHandle = 0x77656972;

struct Place {
  const char* name;
  bpf_attach_type type;
  bpf_tc_attach_point point;
  int NorthPrograms::*program;
};
// Backwards: who answers for the endpoints is there before who brings them packets.
const std::array<Place, 2> kPlaces{{{"out", kTcxEgress, BPF_TC_EGRESS, &NorthPrograms::tc_out},
                                    {"in", kTcxIngress, BPF_TC_INGRESS, &NorthPrograms::tc_in}}};

struct Link {
  FileDescriptor fd;
  uint32_t ifindex = 0;  // 0: detached, or its device is gone
  uint32_t program = 0;
};

std::optional<Link> open_link(const std::string& path) {
  Link link;
  link.fd.reset(bpf_obj_get(path.c_str()));
  if (!link.fd) return std::nullopt;
  bpf_link_info info{};
  __u32 length = sizeof(info);
  if (bpf_obj_get_info_by_fd(link.fd.get(), &info, &length) < 0) return std::nullopt;
  if (info.type != BPF_LINK_TYPE_XDP && info.type != kTcxLinkType) return std::nullopt;
  link.ifindex = info.xdp.ifindex;  // tcx has it in the same place
  link.program = info.prog_id;
  return link;
}

std::string pin_path(const std::string& folder, const char* name, uint32_t ifindex) {
  return folder + "/" + name + "_" + std::to_string(ifindex);
}

/// By the pinned link at `path`: updated in place while it is alive on this device, else made anew.
Result<void> attach_link(const std::string& path, const DeviceFacts& device, int program, bpf_attach_type type,
                         uint32_t flags, const std::string& what, std::vector<std::string>* made) {
  const auto old = open_link(path);
  if (old && old->ifindex == device.ifindex) {
    if (old->program == program_id(program)) return {};
    if (const int error = bpf_link_update(old->fd.get(), program, nullptr); error < 0)
      return errno_error("update " + what, error);
    return {};
  }
  before_step("attach " + what);
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
  const int fd = bpf_link_create(program, static_cast<int>(device.ifindex), type, &options);
  if (fd < 0) return errno_error("attach " + what, fd);
  const FileDescriptor link(fd);
  WEIR_TRY(pin(link.get(), path));
  made->push_back(what);
  return {};
}

Result<void> detach_link(const std::string& path) {
  const FileDescriptor link(bpf_obj_get(path.c_str()));
  if (!link) return {};
  before_step("detach " + path);
  const int error = bpf_link_detach(link.get());
  if (error < 0 && error != -ENOLINK && error != -EOPNOTSUPP) return errno_error("detach " + path, error);
  return unpin(path);
}

bpf_tc_hook hook_of(uint32_t ifindex, bpf_tc_attach_point point) {
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex), .attach_point = point);
  return hook;
}

/// Id of the program of our clsact filter; 0: none there.
uint32_t filter_program(uint32_t ifindex, bpf_tc_attach_point point) {
  const LibbpfLog quiet;
  bpf_tc_hook hook = hook_of(ifindex, point);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = kFilterHandle, .priority = kFilterPriority);
  return bpf_tc_query(&hook, &options) == 0 ? options.prog_id : 0;
}

Result<void> attach_filter(const DeviceFacts& device, bpf_tc_attach_point point, int program, const std::string& what,
                           std::vector<std::string>* made) {
  const uint32_t old = filter_program(device.ifindex, point);
  if (old != 0 && old == program_id(program)) return {};
  const LibbpfLog log;
  bpf_tc_hook hook = hook_of(device.ifindex, point);
  if (const int error = bpf_tc_hook_create(&hook); error < 0 && error != -EEXIST)
    return errno_error("make the clsact queue of " + device.name, error);
  before_step("attach " + what);
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .flags = BPF_TC_F_REPLACE, .handle = kFilterHandle,
              .priority = kFilterPriority);
  if (const int error = bpf_tc_attach(&hook, &options); error < 0) return errno_error("attach " + what, error);
  if (old == 0) made->push_back(what);
  return {};
}

Result<void> detach_filter(uint32_t ifindex, bpf_tc_attach_point point) {
  if (filter_program(ifindex, point) == 0) return {};
  const LibbpfLog log;
  bpf_tc_hook hook = hook_of(ifindex, point);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = kFilterHandle, .priority = kFilterPriority);
  before_step("detach filter");
  const int error = bpf_tc_detach(&hook, &options);
  if (error < 0 && error != -ENOENT)
    return errno_error("detach the filter of device " + std::to_string(ifindex), error);
  return {};
}

/// Ids of the tcx programs of a device, in order; none where there is no tcx.
std::vector<uint32_t> tcx_programs(uint32_t ifindex, bpf_attach_type type) {
  std::array<uint32_t, 64> ids{};
  auto count = static_cast<uint32_t>(ids.size());
  uint32_t flags = 0;
  if (bpf_prog_query(static_cast<int>(ifindex), type, 0, &flags, ids.data(), &count) < 0) return {};
  return {ids.begin(), ids.begin() + count};
}

void read_tc(const std::string& folder, NorthDeviceStatus* status) {
  size_t links = 0, filters = 0;
  for (const Place& place : kPlaces) {
    const auto link = open_link(pin_path(folder, place.name, status->ifindex));
    const auto there = tcx_programs(status->ifindex, place.type);
    const bool attached = link && link->ifindex == status->ifindex;
    if (attached) ++links;
    for (const uint32_t id : there)
      if (!attached || id != link->program) status->foreign.push_back({id, program_name(id)});
    // Two of ours on one hook would translate twice (cilium #44194).
    if (attached && std::count(there.begin(), there.end(), link->program) != 1)
      status->problem = "the tc program is not where its link says";
    if (filter_program(status->ifindex, place.point) != 0) ++filters;
  }
  if (links == kPlaces.size())
    status->tc = "tcx";
  else if (filters == kPlaces.size())
    status->tc = "clsact";
  else
    status->problem = "tc programs are not attached";
}

void read_xdp(const std::string& folder, NorthDeviceStatus* status) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  const LibbpfLog quiet;
  if (bpf_xdp_query(static_cast<int>(status->ifindex), 0, &query) < 0 || query.prog_id == 0) return;
  const auto link = open_link(pin_path(folder, "xdp", status->ifindex));
  if (link && link->ifindex == status->ifindex && link->program == query.prog_id)
    status->xdp = query.attach_mode == XDP_ATTACHED_DRV ? "native" : "generic";
  else
    status->foreign.push_back({query.prog_id, program_name(query.prog_id)});
}

}  // namespace

Result<void> attach_tc(const std::string& folder, const DeviceFacts& device, const NorthPrograms& programs,
                       std::vector<std::string>* made) {
  for (const Place& place : kPlaces) {
    const std::string what = std::string("tc ") + place.name + " on " + device.name;
    const int program = programs.*place.program;
    if (programs.tcx)
      WEIR_TRY(
          attach_link(pin_path(folder, place.name, device.ifindex), device, program, place.type, kBefore, what, made));
    else
      WEIR_TRY(attach_filter(device, place.point, program, what, made));
  }
  return {};
}

Result<void> attach_xdp(const std::string& folder, const DeviceFacts& device, const NorthPrograms& programs,
                        std::vector<std::string>* made) {
  // A link never takes another program's place: the kernel says EBUSY.
  return attach_link(pin_path(folder, "xdp", device.ifindex), device, programs.xdp, BPF_XDP, XDP_FLAGS_DRV_MODE,
                     "XDP on " + device.name, made);
}

Result<void> detach_xdp(const std::string& folder, uint32_t ifindex) {
  return detach_link(pin_path(folder, "xdp", ifindex));
}

Result<void> detach_tc(const std::string& folder, uint32_t ifindex) {
  for (auto place = kPlaces.rbegin(); place != kPlaces.rend(); ++place) {
    WEIR_TRY(detach_link(pin_path(folder, place->name, ifindex)));
    WEIR_TRY(detach_filter(ifindex, place->point));
  }
  return {};
}

Result<std::vector<uint32_t>> attached_devices(const std::string& folder) {
  std::vector<uint32_t> devices;
  auto names = list_directory(folder);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) {
    const size_t gap = name.find('_');
    const std::string kind = name.substr(0, gap);
    if (gap == std::string::npos || (kind != "xdp" && kind != "in" && kind != "out")) continue;
    uint32_t ifindex = 0;
    const auto [end, error] = std::from_chars(name.data() + gap + 1, name.data() + name.size(), ifindex);
    if (error == std::errc() && end == name.data() + name.size()) devices.push_back(ifindex);
  }
  if (struct if_nameindex* all = if_nameindex(); all != nullptr) {
    for (const auto* one = all; one->if_index != 0; ++one)
      for (const Place& place : kPlaces)
        if (filter_program(one->if_index, place.point) != 0) devices.push_back(one->if_index);
    if_freenameindex(all);
  }
  std::sort(devices.begin(), devices.end());
  devices.erase(std::unique(devices.begin(), devices.end()), devices.end());
  return devices;
}

void read_hooks(const std::string& folder, NorthDeviceStatus* status) {
  status->tc.clear();
  status->xdp.clear();
  status->foreign.clear();
  status->problem.clear();
  read_tc(folder, status);
  read_xdp(folder, status);
}

}  // namespace weir::datapath
