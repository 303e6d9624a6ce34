#include "datapath/bpffs.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "datapath/steps.h"

namespace weir::datapath {
namespace {

constexpr const char* kUsualMount = "/sys/fs/bpf";

bool is_bpffs(const std::string& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 && info.f_type == BPF_FS_MAGIC;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The nearest folder above `path` that is there.
std::string existing_parent(std::string path) {
  do path = parent_of(path);
  while (!exists(path) && path != "/" && path != ".");
  return path;
}

Result<void> mount_bpffs() {
  if (mount("bpf", kUsualMount, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") == 0) return {};
  const int error = errno;
  Error result = errno_error(std::string("mount bpffs at ") + kUsualMount, error);
  if (error == EPERM)
    result.message += ": needs CAP_SYS_ADMIN; mount it before the agent starts (mount -t bpf bpf /sys/fs/bpf)";
  return result;
}

Result<void> make_directories(const std::string& path) {
  if (exists(path)) return {};
  if (const std::string parent = parent_of(path); parent != path) WEIR_TRY(make_directories(parent));
  return make_directory(path);
}

}  // namespace

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

Result<void> make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  const int error = errno;
  Error result = errno_error("make folder " + path, error);
  if (error == EPERM && path.find('.', path.find_last_of('/')) != std::string::npos)
    result.message += ": bpffs takes no names with a dot";
  return result;
}

Result<bool> prepare_bpffs(const std::string& directory) {
  if (directory.empty() || directory.front() != '/')
    return Error{"the bpffs folder '" + directory + "' is not an absolute path", EINVAL};
  if (access(directory.c_str(), F_OK) != 0 && errno == EACCES)
    return errno_error("look into " + directory + " (the agent needs the rights of root)", EACCES);
  bool mounted = false;
  const std::string base = exists(directory) ? directory : existing_parent(directory);
  if (!is_bpffs(base)) {
    const bool usual = directory.starts_with(std::string(kUsualMount) + "/") && exists(kUsualMount);
    if (!usual || is_bpffs(kUsualMount))
      return Error{directory + " is not in a BPF file system (" + base + " is another); mount one: mount -t bpf bpf " +
                       parent_of(directory),
                   ENOTSUP};
    WEIR_TRY(mount_bpffs());
    mounted = true;
  }
  before_step("make folders");
  WEIR_TRY(make_directories(directory));
  if (chmod(directory.c_str(), 0700) != 0) return errno_error("chmod " + directory);
  for (const char* folder : {"links", "progs"}) WEIR_TRY(make_directory(directory + "/" + folder));
  return mounted;
}

Result<FileDescriptor> lock_bpffs(const std::string& directory) {
  FileDescriptor fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error("open " + directory);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK) return Error{"another weir agent is running on " + directory, EBUSY};
  return errno_error("lock " + directory);
}

Result<void> pin(int fd, const std::string& path) {
  before_step("pin " + path);
  const std::string fresh = path + kFreshPin;
  WEIR_TRY(unpin(fresh));
  if (const int error = bpf_obj_pin(fd, fresh.c_str()); error < 0) return errno_error("pin " + path, error);
  if (chmod(fresh.c_str(), 0600) != 0) return errno_error("chmod " + fresh);
  return rename_pin(fresh, path);
}

Result<void> unpin(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return errno_error("remove " + path);
}

Result<void> rename_pin(const std::string& from, const std::string& to) {
  before_step("rename " + from);
  if (rename(from.c_str(), to.c_str()) == 0) return {};
  return errno_error("rename " + from + " to " + to);
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), &closedir);
  if (!folder) {
    if (errno == ENOENT) return names;
    return errno_error("open folder " + path);
  }
  while (const dirent* entry = readdir(folder.get()))
    if (const std::string name = entry->d_name; name != "." && name != "..") names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

Result<size_t> remove_directory(const std::string& path) {
  auto names = list_directory(path);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) WEIR_TRY(unpin(path + "/" + name));
  before_step("remove " + path);
  if (rmdir(path.c_str()) != 0 && errno != ENOENT) return errno_error("remove folder " + path);
  return names->size();
}

}  // namespace weir::datapath
