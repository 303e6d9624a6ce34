#include "datapath/hooks.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "datapath/bpffs.h"
#include "datapath/cgroup.h"
#include "datapath/kernel_object.h"
#include "datapath/steps.h"

namespace weir::datapath {
namespace {

constexpr size_t kMostPrograms = 64;  // the kernel's own limit for one hook of one cgroup
const char* const kConnectOrderRisk =
    "; programs on one hook all run, and the later one sees what the earlier one wrote";

struct Link {
  FileDescriptor fd;
  uint32_t id = 0, program = 0, attach_type = 0;
  uint64_t target = 0;  // id of its cgroup or network namespace; 0: detached, or that is gone
};

/// What a hook is attached to.
struct Target {
  int fd = -1;
  uint64_t id = 0;
  FileDescriptor owned{};
};

Result<Target> own_netns() {
  Target target;
  target.owned.reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!target.owned || fstat(target.owned.get(), &info) != 0) return errno_error("open the network namespace");
  target.fd = target.owned.get();
  target.id = info.st_ino;
  return target;
}

Result<Target> target_of(const HookSpec& spec, const FileDescriptor& cgroup) {
  if (spec.on_netns) return own_netns();
  auto id = cgroup_id(cgroup);
  if (!id) return std::move(id).error();
  return Target{cgroup.get(), *id, {}};
}

std::optional<Link> open_link(const std::string& path) {
  Link link;
  link.fd.reset(bpf_obj_get(path.c_str()));
  if (!link.fd) return std::nullopt;
  bpf_link_info info{};
  __u32 length = sizeof(info);
  if (bpf_obj_get_info_by_fd(link.fd.get(), &info, &length) < 0) return std::nullopt;
  if (info.type != BPF_LINK_TYPE_CGROUP && info.type != BPF_LINK_TYPE_NETNS) return std::nullopt;
  const bool on_netns = info.type == BPF_LINK_TYPE_NETNS;
  link.id = info.id;
  link.program = info.prog_id;
  link.attach_type = on_netns ? info.netns.attach_type : info.cgroup.attach_type;
  link.target = on_netns ? info.netns.netns_ino : info.cgroup.cgroup_id;
  return link;
}

std::string link_path(const std::string& directory, const HookSpec& spec) {
  return directory + "/links/" + spec.name;
}

/// Ids of the programs that run on a hook, in order.
Result<std::vector<uint32_t>> query(const Target& target, const HookSpec& spec, bool effective, uint32_t* flags) {
  std::array<uint32_t, kMostPrograms> ids{};
  auto count = static_cast<uint32_t>(ids.size());
  const int error = bpf_prog_query(target.fd, static_cast<bpf_attach_type>(spec.attach_type),
                                   effective && !spec.on_netns ? BPF_F_QUERY_EFFECTIVE : 0, flags, ids.data(), &count);
  if (error < 0) return errno_error("ask which programs are attached", error);
  return std::vector<uint32_t>(ids.begin(), ids.begin() + count);
}

std::string names_of(const std::vector<uint32_t>& ids) {
  std::string text;
  for (const uint32_t id : ids)
    text += (text.empty() ? "" : ", ") + program_name(id) + " (id " + std::to_string(id) + ")";
  return text;
}

/// Detaches at once the link pinned at `path`, if there is one: the kernel lets go of a link whose pin is removed only
/// some time later, and its program would run on beside the new one.
Result<void> detach_link(const std::string& path) {
  const FileDescriptor link(bpf_obj_get(path.c_str()));
  if (!link) return {};
  before_step("detach " + path);
  const int error = bpf_link_detach(link.get());
  // Without LINK_DETACH (before 5.9) the link goes with its pin.
  if (error == 0 || error == -ENOLINK || error == -EINVAL || error == -EOPNOTSUPP) return {};
  return errno_error("detach " + path, error);
}

/// EPERM of an attach has two causes: missing rights, or a program that was attached to stay alone.
Error attach_error(const Target& target, const HookSpec& spec, int error) {
  Error result = errno_error(std::string("attach to ") + spec.name, error);
  if (error != -EPERM) return result;
  uint32_t flags = 0;
  const auto own = query(target, spec, false, &flags);
  const auto effective = query(target, spec, true, nullptr);
  if (!spec.on_netns && own && !own->empty() && (flags & BPF_F_ALLOW_MULTI) == 0)
    result.message += ": " + names_of(*own) + " is attached exclusively; it is not ours to detach";
  else if (effective && !effective->empty())
    result.message += ": perhaps one of " + names_of(*effective) + " is attached exclusively further up";
  else
    result.message += ": needs CAP_NET_ADMIN and CAP_BPF, or root";
  return result;
}

Result<void> attach_one(const std::string& directory, const FileDescriptor& cgroup, const HookSpec& spec,
                        const FileDescriptor& program, AttachReport* report) {
  const std::string path = link_path(directory, spec);
  auto target = target_of(spec, cgroup);
  if (!target) return std::move(target).error();
  const auto old = open_link(path);
  before_step(std::string("attach ") + spec.name);
  if (old && old->target == target->id && old->attach_type == spec.attach_type) {
    if (old->program == program_id(program.get())) return {};
    const int error = bpf_link_update(old->fd.get(), program.get(), nullptr);
    if (error == 0) return {};
    if (error != -ENOLINK) return errno_error(std::string("update the link of ") + spec.name, error);
  }
  const int made = bpf_link_create(program.get(), target->fd, static_cast<bpf_attach_type>(spec.attach_type), nullptr);
  if (made < 0) return attach_error(*target, spec, made);
  const FileDescriptor link(made);
  WEIR_TRY(detach_link(path + kFreshPin));  // of a start that died between pinning and renaming the pin
  WEIR_TRY(pin(link.get(), path));
  // Alive on another cgroup: what the new link does not cover is not to be covered any more.
  if (old && old->target != 0) (void)bpf_link_detach(old->fd.get());
  report->made.push_back(spec.name);
  return {};
}

/// Where a link stands, given what runs on the hook; empty: where it should.
std::string misplaced(const HookSpec& spec, const std::optional<Link>& link, const Target& target,
                      const std::vector<uint32_t>& effective) {
  if (!link) return "not attached";
  const std::string place = spec.on_netns ? "network namespace" : "cgroup";
  if (link->target == 0) return "the link was detached, or its " + place + " removed";
  if (std::count(effective.begin(), effective.end(), link->program) > 0) return {};
  return link->target != target.id ? "attached to another " + place : "attached, but not in effect on this " + place;
}

HookStatus status_of(const std::string& directory, const FileDescriptor& cgroup, const HookSpec& spec) {
  HookStatus status;
  status.name = spec.name;
  status.required = spec.required;
  const auto target = target_of(spec, cgroup);
  const auto effective = target ? query(*target, spec, true, nullptr) : Result<std::vector<uint32_t>>(target.error());
  if (!effective) {
    status.problem = effective.error().code == EINVAL ? std::string("this kernel has no such hook: ") + spec.without
                                                      : effective.error().message;
    return status;
  }
  const auto link = open_link(link_path(directory, spec));
  if (link) {
    status.link_id = link->id;
    status.program_id = link->program;
  }
  for (const uint32_t id : *effective)
    if (id != status.program_id) status.foreign.push_back({id, program_name(id)});
  status.problem = misplaced(spec, link, *target, *effective);
  status.attached = status.problem.empty();
  if (status.attached && spec.required && !status.foreign.empty())
    status.problem = "shared with " + status.foreign.front().name + " (id " +
                     std::to_string(status.foreign.front().id) + ")" + kConnectOrderRisk;
  return status;
}

}  // namespace

const std::array<HookSpec, kHookCount>& hook_specs() {
  static const std::array<HookSpec, kHookCount> specs{{
      {"connect4", BPF_CGROUP_INET4_CONNECT, true, false, ""},
      {"connect6", BPF_CGROUP_INET6_CONNECT, true, false, ""},
      {"getpeername4", BPF_CGROUP_INET4_GETPEERNAME, false, false, "getpeername() shows the endpoint's address"},
      {"getpeername6", BPF_CGROUP_INET6_GETPEERNAME, false, false, "getpeername() shows the endpoint's address"},
      {"sock_release", BPF_CGROUP_INET_SOCK_RELEASE, false, false, "open connections are not counted down"},
      {"sock_ops", BPF_CGROUP_SOCK_OPS, false, false, "nothing can be sent to the proxy"},
      {"sk_lookup", BPF_SK_LOOKUP, false, true, "nothing can be sent to the proxy"},
  }};
  return specs;
}

Result<AttachReport> attach_hooks(const std::string& directory, const FileDescriptor& cgroup,
                                  const HookPrograms& programs) {
  AttachReport report;
  // Backwards: what closes the books is there before what opens them.
  for (size_t i = kHookCount; i-- > 0;) {
    const HookSpec& spec = hook_specs()[i];
    if (!programs[i]) continue;
    WEIR_TRY(attach_one(directory, cgroup, spec, programs[i], &report));
    WEIR_TRY(pin(programs[i].get(), directory + "/progs/" + spec.name));
  }
  return report;
}

bool hooks_alive(const std::string& directory, const FileDescriptor& cgroup, const HookPrograms& programs) {
  for (size_t i = 0; i < kHookCount; ++i) {
    if (!programs[i]) continue;
    const auto target = target_of(hook_specs()[i], cgroup);
    const auto link = open_link(link_path(directory, hook_specs()[i]));
    if (!link || !target || link->target != target->id || link->program != program_id(programs[i].get())) return false;
    if (!exists(directory + "/progs/" + hook_specs()[i].name)) return false;
  }
  return true;
}

std::vector<HookStatus> hook_status(const std::string& directory, const FileDescriptor& cgroup) {
  std::vector<HookStatus> result;
  for (const HookSpec& spec : hook_specs()) result.push_back(status_of(directory, cgroup, spec));
  return result;
}

std::vector<uint32_t> maps_of_link(const std::string& path) {
  const auto link = open_link(path);
  if (!link) return {};
  const FileDescriptor program(bpf_prog_get_fd_by_id(link->program));
  std::array<uint32_t, 32> ids{};
  bpf_prog_info info{};
  info.nr_map_ids = ids.size();
  info.map_ids = reinterpret_cast<uintptr_t>(ids.data());
  __u32 length = sizeof(info);
  if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &length) < 0) return {};
  return {ids.begin(), ids.begin() + std::min<size_t>(ids.size(), info.nr_map_ids)};
}

Result<void> detach_hooks(const std::string& directory) {
  auto names = list_directory(directory + "/links");
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) WEIR_TRY(detach_link(directory + "/links/" + name));
  return {};
}

}  // namespace weir::datapath
