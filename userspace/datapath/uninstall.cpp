// What needs no agent: how the hooks stand, and taking everything away.

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "datapath/bpffs.h"
#include "datapath/cgroup.h"
#include "datapath/datapath.h"
#include "datapath/hooks.h"
#include "datapath/north.h"
#include "datapath/steps.h"

namespace weir::datapath {

Result<Status> read_status(const std::string& bpffs_dir, const std::string& cgroup) {
  Status status{.bpffs_dir = bpffs_dir, .cgroup = cgroup, .adopted = false, .hooks = {}, .warnings = {}};
  if (status.cgroup.empty()) {
    auto root = find_cgroup2_root();
    if (!root) return std::move(root).error();
    status.cgroup = *std::move(root);
  }
  auto fd = open_cgroup(status.cgroup);
  if (!fd) return std::move(fd).error();
  status.hooks = hook_status(bpffs_dir, *fd);
  status.warnings = cgroup_warnings();
  return status;
}

Result<size_t> uninstall(const std::string& bpffs_dir) {
  if (!exists(bpffs_dir)) return size_t{0};
  // The folder must be ours before anything in it goes.
  auto names = list_directory(bpffs_dir);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names)
    if (name != "maps" && name != "maps_new" && name != "maps_old" && name != "links" && name != "progs" &&
        name != "north")
      return Error{bpffs_dir + " holds '" + name + "', which is not weir's; nothing was removed", EINVAL};
  auto lock = lock_bpffs(bpffs_dir);
  if (!lock) return std::move(lock).error();
  WEIR_TRY(detach_hooks(bpffs_dir));
  auto north = uninstall_north(bpffs_dir);
  if (!north) return std::move(north).error();
  size_t removed = *north;
  // Links first: from then on nobody is translated, whatever else is left.
  for (const char* folder : {"links", "progs", "maps", "maps_new", "maps_old"}) {
    auto count = remove_directory(bpffs_dir + "/" + folder);
    if (!count) return std::move(count).error();
    removed += *count;
  }
  before_step("remove folder");
  if (rmdir(bpffs_dir.c_str()) != 0) return errno_error("remove folder " + bpffs_dir);
  return removed;
}

}  // namespace weir::datapath
