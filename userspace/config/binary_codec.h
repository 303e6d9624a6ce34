#pragma once
// How values of the model become bytes and come back: numbers as varints, texts with their length, members in order.
// What is read is bounded by what is there; whatever a Writer cannot have written is refused. One value has one form.
// For binary.cpp.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "config/enumerators.h"
#include "config/model_members.h"

namespace weir::config::binary {

template <class T>
struct IsLocated : std::false_type {};
template <class T>
struct IsLocated<Located<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class V>
struct IsMap<std::map<K, V>> : std::true_type {};
template <class T>
struct IsPair : std::false_type {};
template <class A, class B>
struct IsPair<std::pair<A, B>> : std::true_type {};
template <class T>
struct IsVariant : std::false_type {};
template <class... T>
struct IsVariant<std::variant<T...>> : std::true_type {};

class Writer {
 public:
  template <class T>
  void put(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      number(value ? 1 : 0);
    } else if constexpr (std::is_enum_v<T>) {
      number(static_cast<uint64_t>(value));
    } else if constexpr (std::is_integral_v<T>) {
      number(std::is_signed_v<T> ? zigzag(static_cast<int64_t>(value)) : static_cast<uint64_t>(value));
    } else if constexpr (std::is_same_v<T, Duration>) {
      number(zigzag(value.count()));
    } else if constexpr (std::is_same_v<T, std::string>) {
      text(value);
    } else if constexpr (std::is_same_v<T, Cidr>) {
      bytes_.append(reinterpret_cast<const char*>(value.address.bytes().data()), value.address.bytes().size());
      number(value.prefix);
    } else if constexpr (IsLocated<T>::value) {
      put(value.value);
      put(value.at);
    } else if constexpr (IsPair<T>::value) {
      put(value.first);
      put(value.second);
    } else if constexpr (IsOptional<T>::value) {
      number(value ? 1 : 0);
      if (value) put(*value);
    } else if constexpr (IsVector<T>::value || IsMap<T>::value) {
      number(value.size());
      for (const auto& item : value) put(item);
    } else if constexpr (IsVariant<T>::value) {
      number(value.index());
      std::visit([this](const auto& alternative) { put(alternative); }, value);
    } else {
      with_members(value, [this](const auto&... members) { (put(members), ...); });
    }
  }

  void number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_.append(value);
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  static uint64_t zigzag(int64_t value) {
    return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  }
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : begin_(bytes.data()), at_(bytes.data()), end_(at_ + bytes.size()) {}

  /// Nothing was wrong so far.
  [[nodiscard]] bool good() const { return good_; }
  /// ... and nothing is left.
  [[nodiscard]] bool finished() const { return good_ && at_ == end_; }
  [[nodiscard]] size_t offset() const { return static_cast<size_t>(at_ - begin_); }

  /// After a fault `value` holds anything.
  template <class T>
  void get(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = below(2) != 0;
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(below(enumerators<T>()));
    } else if constexpr (std::is_integral_v<T>) {
      const uint64_t raw = number();
      value = static_cast<T>(std::is_signed_v<T> ? static_cast<uint64_t>(unzigzag(raw)) : raw);
      if constexpr (std::is_signed_v<T>) {
        if (static_cast<int64_t>(value) != unzigzag(raw)) fail();
      } else if (static_cast<uint64_t>(value) != raw) {
        fail();
      }
    } else if constexpr (std::is_same_v<T, Duration>) {
      value = Duration(unzigzag(number()));
    } else if constexpr (std::is_same_v<T, std::string>) {
      value.assign(text());
    } else if constexpr (std::is_same_v<T, Cidr>) {
      IpAddress::Bytes address{};
      const std::string_view raw = bytes(address.size());
      for (size_t i = 0; i < raw.size(); ++i) address[i] = static_cast<uint8_t>(raw[i]);
      value.address = IpAddress(address);
      value.prefix = static_cast<uint8_t>(below(129));
    } else if constexpr (IsLocated<T>::value) {
      get(value.value);
      get(value.at);
    } else if constexpr (IsOptional<T>::value) {
      value.reset();
      if (below(2) != 0) get(value.emplace());
    } else if constexpr (IsVector<T>::value) {
      get_list(value);
    } else if constexpr (IsMap<T>::value) {
      get_map(value);
    } else if constexpr (IsPair<T>::value) {
      get(value.first);
      get(value.second);
    } else if constexpr (IsVariant<T>::value) {
      get_variant(value, std::make_index_sequence<std::variant_size_v<T>>());
    } else {
      if (++depth_ > kMaxDepth) return fail();
      with_members(value, [this](auto&... members) { ((good_ ? get(members) : void()), ...); });
      --depth_;
    }
  }

  uint64_t number() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) break;
      const auto byte = static_cast<uint8_t>(*at_++);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      // One form: no zero in front, nothing beyond 64 bits.
      if ((byte == 0 && shift > 0) || (shift == 63 && byte > 1)) break;
      return value;
    }
    fail();
    return 0;
  }
  std::string_view text() { return bytes(number()); }

 private:
  static constexpr int kMaxDepth = 64;
  static constexpr size_t kMostReserved = 64;

  static int64_t unzigzag(uint64_t value) {
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }

  void fail() {
    good_ = false;
    at_ = end_;
  }

  std::string_view bytes(uint64_t size) {
    if (size > static_cast<uint64_t>(end_ - at_)) {
      fail();
      return {};
    }
    const std::string_view piece(at_, size);
    at_ += size;
    return piece;
  }

  uint64_t below(uint64_t limit) {
    const uint64_t value = number();
    if (value < limit) return value;
    fail();
    return 0;
  }

  /// How many items follow; each takes a byte at least.
  uint64_t count() {
    const uint64_t items = number();
    if (items <= static_cast<uint64_t>(end_ - at_)) return items;
    fail();
    return 0;
  }

  template <class T>
  void get_list(std::vector<T>& list) {
    list.clear();
    const uint64_t items = count();
    list.reserve(static_cast<size_t>(items < kMostReserved ? items : kMostReserved));
    for (uint64_t i = 0; i < items && good_; ++i) get(list.emplace_back());
  }

  template <class K, class V>
  void get_map(std::map<K, V>& map) {
    map.clear();
    const uint64_t items = count();
    for (uint64_t i = 0; i < items && good_; ++i) {
      K key{};
      get(key);
      if (!map.empty() && !(map.rbegin()->first < key)) return fail();
      get(map.emplace_hint(map.end(), std::move(key), V{})->second);
    }
  }

  template <class T, size_t... kIndex>
  void get_variant(T& value, std::index_sequence<kIndex...> /*all*/) {
    const uint64_t index = below(sizeof...(kIndex));
    (void)((index == kIndex && (get(value.template emplace<kIndex>()), true)) || ...);
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  bool good_ = true;
  int depth_ = 0;
};

/// Adds to `text` what decides how a T is written: the names of all members, all the way down.
template <class T>
void describe_layout(std::string& text) {
  if constexpr (std::is_enum_v<T>) {
    text += "enum" + std::to_string(enumerators<T>()) + ";";
  } else if constexpr (std::is_arithmetic_v<T>) {
    text += (std::is_signed_v<T> ? "i" : "u") + std::to_string(sizeof(T)) + ";";
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, Duration> || std::is_same_v<T, Cidr>) {
    text += std::is_same_v<T, std::string> ? "text;" : std::is_same_v<T, Duration> ? "duration;" : "cidr;";
  } else if constexpr (IsLocated<T>::value) {
    text += "located ";
    describe_layout<decltype(T::value)>(text);
  } else if constexpr (IsOptional<T>::value || IsVector<T>::value) {
    text += IsVector<T>::value ? "list " : "optional ";
    describe_layout<typename T::value_type>(text);
  } else if constexpr (IsMap<T>::value) {
    text += "map ";
    describe_layout<typename T::key_type>(text);
    describe_layout<typename T::mapped_type>(text);
  } else if constexpr (IsPair<T>::value) {
    text += "pair ";
    describe_layout<typename T::first_type>(text);
    describe_layout<typename T::second_type>(text);
  } else if constexpr (IsVariant<T>::value) {
    const auto each = [&]<class... A>(const std::variant<A...>* /*by type*/) { (describe_layout<A>(text), ...); };
    each(static_cast<const T*>(nullptr));
  } else {
    const std::string_view names = member_names(static_cast<const T*>(nullptr));
    const bool known = text.find(names) != std::string::npos;  // it may hold itself
    text += names;
    if (known) return;
    T value{};
    with_members(value,
                 [&](auto&... members) { (describe_layout<std::remove_cvref_t<decltype(members)>>(text), ...); });
  }
}

}  // namespace weir::config::binary
