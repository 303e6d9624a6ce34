#pragma once
// A map from text to immutable values whose copies share what they have in common: copying costs kShards pointers and a
// change copies one shard, whatever the size. This is what makes a new table for one changed rule out of 10'000 cheap.
//
// A copy may be read from any thread while the map it was taken from goes on changing. One writer.

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weir::routing {

template <class Value>
class SharedMap {
 public:
  using Pointer = std::shared_ptr<const Value>;
  using Item = std::pair<std::string_view, const Pointer*>;

  SharedMap() = default;
  SharedMap(const SharedMap& other) : shards_(other.shards_), size_(other.size_) { other.own_.fill(false); }
  SharedMap& operator=(const SharedMap& other);
  SharedMap(SharedMap&&) noexcept = default;
  SharedMap& operator=(SharedMap&&) noexcept = default;
  ~SharedMap() = default;

  /// Null when absent. Valid as long as any copy that holds it.
  [[nodiscard]] const Pointer& find(std::string_view key) const;
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  /// Null erases.
  void set(std::string_view key, Pointer value);

  /// In no particular order: `use(std::string_view key, const Pointer& value)`.
  template <class Use>
  void for_each(Use use) const;
  /// By key.
  [[nodiscard]] std::vector<Item> sorted() const;

 private:
  static constexpr size_t kShards = 512;
  static constexpr int kShift = std::numeric_limits<size_t>::digits - 9;  // the 9 top bits: the maps use the low ones
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Shard = std::unordered_map<std::string, Pointer, Hash, std::equal_to<>>;

  static size_t index_of(std::string_view key) { return Hash{}(key) >> kShift; }

  Shard& writable(size_t index);

  std::array<std::shared_ptr<Shard>, kShards> shards_{};
  size_t size_ = 0;
  /// Whether no copy shares the shard. Taking a copy clears it; only the writer takes copies of a map that still
  /// changes.
  mutable std::array<bool, kShards> own_{};
};

template <class Value>
SharedMap<Value>& SharedMap<Value>::operator=(const SharedMap& other) {
  if (this == &other) return *this;
  shards_ = other.shards_;
  size_ = other.size_;
  own_.fill(false);
  other.own_.fill(false);
  return *this;
}

template <class Value>
auto SharedMap<Value>::find(std::string_view key) const -> const Pointer& {
  static const Pointer kNothing;
  const auto& shard = shards_[index_of(key)];
  if (!shard) return kNothing;
  const auto found = shard->find(key);
  return found == shard->end() ? kNothing : found->second;
}

template <class Value>
void SharedMap<Value>::set(std::string_view key, Pointer value) {
  const size_t index = index_of(key);
  if (!value && (!shards_[index] || !shards_[index]->contains(key))) return;
  Shard& shard = writable(index);
  const auto found = shard.find(key);
  if (!value) {
    shard.erase(found);
    --size_;
  } else if (found != shard.end()) {
    found->second = std::move(value);
  } else {
    shard.emplace(std::string(key), std::move(value));
    ++size_;
  }
}

template <class Value>
template <class Use>
void SharedMap<Value>::for_each(Use use) const {
  for (const auto& shard : shards_) {
    if (!shard) continue;
    for (const auto& [key, value] : *shard) use(std::string_view(key), value);
  }
}

template <class Value>
auto SharedMap<Value>::sorted() const -> std::vector<Item> {
  std::vector<Item> items;
  items.reserve(size_);
  for_each([&](std::string_view key, const Pointer& value) { items.emplace_back(key, &value); });
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.first < b.first; });
  return items;
}

template <class Value>
auto SharedMap<Value>::writable(size_t index) -> Shard& {
  auto& shard = shards_[index];
  if (!shard) {
    shard = std::make_shared<Shard>();
  } else if (!own_[index]) {
    shard = std::make_shared<Shard>(*shard);
  }
  own_[index] = true;
  return *shard;
}

}  // namespace weir::routing
