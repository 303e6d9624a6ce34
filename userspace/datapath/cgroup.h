#pragma once
// Where cgroup2 is, and what about it will make connections slip past the hooks.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::datapath {

struct MountPoint {
  std::string root;  // of the file system, that is mounted: "/" unless namespaced or bound
  std::string path;
  std::string type;
  std::string super_options;  // "rw,net_cls"
};

/// The lines of /proc/self/mountinfo; malformed ones are skipped. Octal escapes in paths are undone.
std::vector<MountPoint> parse_mountinfo(std::string_view text);
/// The cgroup2 mount to use: one whose root is the hierarchy's, else any. Found by type, never by path: on a machine
/// with both versions it is /sys/fs/cgroup/unified.
std::optional<MountPoint> pick_cgroup2(const std::vector<MountPoint>& mounts);
/// What is to be said about this set-up. `kernel`: as of uname, "5.10.0-30-amd64".
std::vector<std::string> judge_mounts(const std::vector<MountPoint>& mounts, std::string_view kernel);

/// The directory of the cgroup2 root on this machine.
Result<std::string> find_cgroup2_root();
/// Opens `path` (empty: the root) after making sure that it is a cgroup2 directory.
Result<FileDescriptor> open_cgroup(const std::string& path);
/// As bpf_link_info.cgroup.cgroup_id has it.
Result<uint64_t> cgroup_id(const FileDescriptor& cgroup);
/// judge_mounts() for this machine, and whether this process sees the real root.
std::vector<std::string> cgroup_warnings();

}  // namespace weir::datapath
