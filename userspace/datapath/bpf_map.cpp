#include "datapath/bpf_map.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::datapath {
namespace {

constexpr size_t kBatch = 4096;

std::string words(const char* verb, const char* name) {
  return std::string(verb) + " map " + name;
}

}  // namespace

Result<MapInfo> map_info(int fd) {
  bpf_map_info info{};
  __u32 length = sizeof(info);
  if (const int error = bpf_obj_get_info_by_fd(fd, &info, &length); error < 0)
    return errno_error("read a map's info", error);
  return MapInfo{.name = std::string(info.name, strnlen(info.name, sizeof(info.name))),
                 .id = info.id,
                 .type = info.type,
                 .key_size = info.key_size,
                 .value_size = info.value_size,
                 .max_entries = info.max_entries,
                 .flags = info.map_flags};
}

Result<void> update_elements(int fd, const char* name, const void* keys, size_t key_size, const void* values,
                             size_t value_size, size_t count) {
  const auto* key = static_cast<const char*>(keys);
  const auto* value = static_cast<const char*>(values);
  for (size_t done = 0; done < count;) {
    auto batch = static_cast<__u32>(std::min(kBatch, count - done));
    const int error = bpf_map_update_batch(fd, key + done * key_size, value + done * value_size, &batch, nullptr);
    if (error == -EFAULT || (error < 0 && error != -EINTR && error != -EAGAIN))
      return errno_error(words("write", name), error);
    done += batch;
  }
  return {};
}

Result<void> delete_elements(int fd, const char* name, const void* keys, size_t key_size, size_t count) {
  const auto* key = static_cast<const char*>(keys);
  for (size_t done = 0; done < count;) {
    auto batch = static_cast<__u32>(std::min(kBatch, count - done));
    const int error = bpf_map_delete_batch(fd, key + done * key_size, &batch, nullptr);
    if (error < 0 && error != -ENOENT && error != -EINTR && error != -EAGAIN)
      return errno_error(words("delete from", name), error);
    done += batch;
    if (error == -ENOENT) ++done;  // the one it stopped at is gone already
  }
  return {};
}

Result<size_t> read_elements(int fd, const char* name, size_t key_size, size_t value_size, std::vector<char>* keys,
                             std::vector<char>* values) {
  size_t total = 0, room = kBatch;
  __u32 cursor = 0;
  bool first = true;
  for (;;) {
    keys->resize((total + room) * key_size);
    values->resize((total + room) * value_size);
    auto batch = static_cast<__u32>(room);
    __u32 next = 0;
    const int error = bpf_map_lookup_batch(fd, first ? nullptr : &cursor, &next, keys->data() + total * key_size,
                                           values->data() + total * value_size, &batch, nullptr);
    if (error == -ENOSPC) {  // one bucket holds more than a batch
      room *= 2;
      continue;
    }
    if (error < 0 && error != -ENOENT) return errno_error(words("read", name), error);
    total += batch;
    first = false;
    cursor = next;
    if (error == -ENOENT) break;
  }
  keys->resize(total * key_size);
  values->resize(total * value_size);
  return total;
}

Result<Mapping> Mapping::map(int fd, const char* name, size_t bytes, bool writable) {
  void* data = mmap(nullptr, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return errno_error(words("mmap", name));
  Mapping mapping;
  mapping.data_ = data;
  mapping.bytes_ = bytes;
  return mapping;
}

Mapping::~Mapping() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

}  // namespace weir::datapath
