#pragma once
// How many enumerators an enum has that counts them from 0.

#include <string_view>
#include <type_traits>

namespace weir::config {

namespace detail {

/// The compiler writes a value that has a name as "…::kName", any other as "(…)7".
template <auto kValue>
constexpr bool has_name() {
  constexpr std::string_view kText = __PRETTY_FUNCTION__;
  constexpr size_t kStart = kText.find("kValue = ") + 9;
  return kText[kStart] != '(';
}

template <class E, int kFrom>
constexpr int count_from() {
  if constexpr (has_name<static_cast<E>(kFrom)>()) {
    return count_from<E, kFrom + 1>();
  } else {
    return kFrom;
  }
}

}  // namespace detail

template <class E>
requires std::is_enum_v<E>
constexpr unsigned enumerators() {
  constexpr int kCount = detail::count_from<E, 0>();
  static_assert(kCount > 0);
  return kCount;
}

}  // namespace weir::config
