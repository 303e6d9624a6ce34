#pragma once
// The places where our programs run, and the pinned links that hold them there: the cgroup, and for sk_lookup the
// network namespace that the caller is in.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "datapath/datapath.h"

namespace weir::datapath {

enum class Hook { kConnect4, kConnect6, kGetpeername4, kGetpeername6, kSockRelease, kSockOps, kSkLookup };
inline constexpr size_t kHookCount = 7;
/// In the order of Hook; none where the kernel lacks the hook.
using HookPrograms = std::array<FileDescriptor, kHookCount>;

struct HookSpec {
  const char* name;      // also of the link's pin
  uint32_t attach_type;  // bpf_attach_type
  bool required;
  bool on_netns;        // else on the cgroup
  const char* without;  // what happens without
};
const std::array<HookSpec, kHookCount>& hook_specs();

struct AttachReport {
  std::vector<std::string> made;  // hooks that had no live link and have one now
};

/// Puts `programs` on `cgroup`, each by the link pinned in <directory>/links: updated in place where it is alive and on
/// this cgroup (or network namespace), made anew otherwise. Pins the programs too.
Result<AttachReport> attach_hooks(const std::string& directory, const FileDescriptor& cgroup,
                                  const HookPrograms& programs);

/// True when every program is on its hook by a live pinned link.
bool hooks_alive(const std::string& directory, const FileDescriptor& cgroup, const HookPrograms& programs);

/// How each hook stands, judged from pins and kernel alone.
std::vector<HookStatus> hook_status(const std::string& directory, const FileDescriptor& cgroup);

/// Ids of the maps that the program of the link pinned at `path` uses; empty if there is no such link.
std::vector<uint32_t> maps_of_link(const std::string& path);

/// Detaches every link pinned in <directory>/links, so that nothing runs on although somebody holds its descriptor.
Result<void> detach_hooks(const std::string& directory);

}  // namespace weir::datapath
