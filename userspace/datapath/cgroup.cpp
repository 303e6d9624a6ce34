#include "datapath/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace weir::datapath {
namespace {

/// Undoes "\040" and the like.
std::string unescape(std::string_view text) {
  std::string result;
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) && octal(text[i + 3])) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

bool has_option(std::string_view options, std::string_view wanted) {
  for (const char* end = options.data() + options.size(); !options.empty();) {
    const size_t comma = std::min(options.find(','), options.size());
    if (options.substr(0, comma) == wanted) return true;
    options.remove_prefix(std::min(comma + 1, static_cast<size_t>(end - options.data())));
  }
  return false;
}

/// "5.10.0-30" is before 5.15.
bool kernel_before(std::string_view kernel, int major, int minor) {
  int has_major = 0, has_minor = 0;
  if (std::sscanf(std::string(kernel).c_str(), "%d.%d", &has_major, &has_minor) != 2) return false;
  return has_major < major || (has_major == major && has_minor < minor);
}

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string namespace_of(const char* path) {
  char target[64];
  const ssize_t length = readlink(path, target, sizeof(target));
  return length > 0 ? std::string(target, static_cast<size_t>(length)) : std::string();
}

}  // namespace

std::vector<MountPoint> parse_mountinfo(std::string_view text) {
  std::vector<MountPoint> mounts;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const auto words = split_words(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    // "36 35 98:0 /root /path options [optional]... - type source super-options"
    size_t dash = 6;
    while (dash < words.size() && words[dash] != "-") ++dash;
    if (dash + 3 >= words.size()) continue;
    mounts.push_back(
        {unescape(words[3]), unescape(words[4]), std::string(words[dash + 1]), std::string(words[dash + 3])});
  }
  return mounts;
}

std::optional<MountPoint> pick_cgroup2(const std::vector<MountPoint>& mounts) {
  std::optional<MountPoint> found;
  for (const MountPoint& mount : mounts) {
    if (mount.type != "cgroup2") continue;
    if (mount.root == "/") return mount;
    if (!found) found = mount;
  }
  return found;
}

std::vector<std::string> judge_mounts(const std::vector<MountPoint>& mounts, std::string_view kernel) {
  std::vector<std::string> warnings;
  const auto cgroup2 = pick_cgroup2(mounts);
  if (!cgroup2) return {"no cgroup2 file system is mounted: connections cannot be split (mount -t cgroup2 none DIR)"};
  if (cgroup2->root != "/")
    warnings.push_back("only " + cgroup2->root + " of the cgroup2 hierarchy is mounted (at " + cgroup2->path +
                       "): connections of processes elsewhere are not split");
  if (!kernel_before(kernel, 5, 15)) return warnings;
  for (const MountPoint& mount : mounts)
    for (const char* controller : {"net_cls", "net_prio"})
      if (mount.type == "cgroup" && has_option(mount.super_options, controller))
        warnings.push_back(std::string("cgroup v1 controller ") + controller + " is mounted at " + mount.path +
                           ": before Linux 5.15, sockets of processes that use it slip past the hooks");
  return warnings;
}

Result<std::string> find_cgroup2_root() {
  const auto mount = pick_cgroup2(parse_mountinfo(read_file("/proc/self/mountinfo")));
  if (!mount)
    return Error{"no cgroup2 file system is mounted; mount one: mount -t cgroup2 none /sys/fs/cgroup", ENOENT};
  return mount->path;
}

Result<FileDescriptor> open_cgroup(const std::string& path) {
  std::string directory = path;
  if (directory.empty()) {
    auto root = find_cgroup2_root();
    if (!root) return std::move(root).error();
    directory = *std::move(root);
  }
  FileDescriptor fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error("open cgroup " + directory);
  struct statfs info {};
  if (fstatfs(fd.get(), &info) != 0) return errno_error("statfs " + directory);
  if (info.f_type == CGROUP2_SUPER_MAGIC) return fd;
  std::string message = directory + " is not a cgroup2 directory";
  if (auto root = find_cgroup2_root()) message += "; cgroup2 is at " + *root;
  return Error{message, ENOTSUP};
}

Result<uint64_t> cgroup_id(const FileDescriptor& cgroup) {
  struct stat info {};
  if (fstat(cgroup.get(), &info) != 0) return errno_error("stat cgroup");
  return info.st_ino;  // kernfs: the inode number is the id on 64-bit machines
}

std::vector<std::string> cgroup_warnings() {
  utsname system{};
  uname(&system);
  auto warnings = judge_mounts(parse_mountinfo(read_file("/proc/self/mountinfo")), system.release);
  const std::string own = namespace_of("/proc/self/ns/cgroup"), init = namespace_of("/proc/1/ns/cgroup");
  if (!own.empty() && !init.empty() && own != init)
    warnings.push_back("this process is in a cgroup namespace of its own: what it sees as the root is not the node's");
  return warnings;
}

}  // namespace weir::datapath
