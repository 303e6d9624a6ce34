#pragma once
// Typed views of BPF maps. A view borrows the map's descriptor; MappedArray owns its mapping.

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::datapath {

struct MapInfo {
  std::string name;
  uint32_t id = 0, type = 0, key_size = 0, value_size = 0, max_entries = 0, flags = 0;
};

Result<MapInfo> map_info(int fd);

/// The untyped half of HashMap: `keys` and `values` hold `count` elements, one after the other.
Result<void> update_elements(int fd, const char* name, const void* keys, size_t key_size, const void* values,
                             size_t value_size, size_t count);
/// Elements that are not there are skipped.
Result<void> delete_elements(int fd, const char* name, const void* keys, size_t key_size, size_t count);
/// Reads a whole hash map; elements that change meanwhile are seen as they were before or after.
Result<size_t> read_elements(int fd, const char* name, size_t key_size, size_t value_size, std::vector<char>* keys,
                             std::vector<char>* values);

template <class Key, class Value>
class HashMap {
 public:
  /// Precondition: the map's sizes are those of Key and Value (MapSet has checked them).
  HashMap(int fd, const char* name) : fd_(fd), name_(name) {}

  [[nodiscard]] Result<void> update(std::span<const Key> keys, std::span<const Value> values) const {
    return update_elements(fd_, name_, keys.data(), sizeof(Key), values.data(), sizeof(Value), keys.size());
  }
  [[nodiscard]] Result<void> remove(std::span<const Key> keys) const {
    return delete_elements(fd_, name_, keys.data(), sizeof(Key), keys.size());
  }
  [[nodiscard]] Result<std::vector<std::pair<Key, Value>>> read_all() const {
    std::vector<char> keys, values;
    auto count = read_elements(fd_, name_, sizeof(Key), sizeof(Value), &keys, &values);
    if (!count) return std::move(count).error();
    std::vector<std::pair<Key, Value>> elements(*count);
    for (size_t i = 0; i < *count; ++i) {
      __builtin_memcpy(&elements[i].first, keys.data() + i * sizeof(Key), sizeof(Key));
      __builtin_memcpy(&elements[i].second, values.data() + i * sizeof(Value), sizeof(Value));
    }
    return elements;
  }

 private:
  int fd_;
  const char* name_;
};

/// Memory of an array map made with BPF_F_MMAPABLE.
class Mapping {
 public:
  Mapping() = default;
  static Result<Mapping> map(int fd, const char* name, size_t bytes, bool writable);
  ~Mapping();
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  template <class Value>
  [[nodiscard]] std::span<Value> as() const {
    return {static_cast<Value*>(data_), bytes_ / sizeof(Value)};
  }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace weir::datapath
