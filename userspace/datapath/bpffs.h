#pragma once
// The folder in the BPF file system where everything of ours is pinned: <dir>/maps, <dir>/links, <dir>/progs.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::datapath {

/// Makes `directory` (mode 0700) and maps/, links/, progs/ in it. Mounts bpffs at /sys/fs/bpf when that is where it
/// belongs and none is there. True if it had to mount.
Result<bool> prepare_bpffs(const std::string& directory);

/// Held by the one agent of `directory` for as long as it lives, also through kill -9. EBUSY: another has it.
Result<FileDescriptor> lock_bpffs(const std::string& directory);

/// What pin() adds to the name of a pin until it takes the old one's place.
inline constexpr const char* kFreshPin = "_new";
/// Pins `fd` at `path`, in place of what is pinned there, at no moment with nothing there.
Result<void> pin(int fd, const std::string& path);
/// Removes one pin; none there is no error.
Result<void> unpin(const std::string& path);
Result<void> rename_pin(const std::string& from, const std::string& to);
/// Makes a folder of mode 0700; being there is no error.
Result<void> make_directory(const std::string& path);
/// Names in `path`, sorted; a folder that is not there has none.
Result<std::vector<std::string>> list_directory(const std::string& path);
/// Removes the pins in `path` and `path` itself; not there is no error. Returns how many pins.
Result<size_t> remove_directory(const std::string& path);
bool exists(const std::string& path);

}  // namespace weir::datapath
