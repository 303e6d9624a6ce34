#pragma once
// Result<T>: a value or an Error, in place of exceptions. The names are those of C++23's std::expected,
// so that it can be swapped in when the compiler has it.
//
// Any thread; no hidden allocation beyond the error's own text.

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace weir {

/// What went wrong, for a reader. Each layer may put its own few words in front with `context()`:
///   "load config/canary.yaml: route \"api\": weights sum to 0".
struct [[nodiscard]] Error {
  std::string message;
  /// errno of the system call that failed, or 0.
  int code = 0;

  /// Puts "words: " in front of the message.
  Error context(std::string_view words) && {
    message.insert(0, std::string(words) + ": ");
    return std::move(*this);
  }
};

/// An error made from errno: "open /x: Permission denied". Call right after the failing system call.
Error errno_error(std::string_view what);
/// The same for libbpf's and io_uring's negative return values (or positive errno values).
Error errno_error(std::string_view what, int error_number);

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  // NOLINTNEXTLINE(google-explicit-constructor): as std::expected
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): as std::unexpected
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  /// Precondition: has_value().
  T& value() & {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    assert(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T other) && { return has_value() ? std::move(*this).value() : std::move(other); }

  /// Precondition: !has_value().
  const Error& error() const& {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    assert(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): as std::unexpected
  Result(Error error) : error_(std::move(error)), failed_(true) {}

  [[nodiscard]] bool has_value() const { return !failed_; }
  explicit operator bool() const { return has_value(); }
  const Error& error() const& {
    assert(failed_);
    return error_;
  }
  Error&& error() && {
    assert(failed_);
    return std::move(error_);
  }

 private:
  Error error_;
  bool failed_ = false;
};

}  // namespace weir

/// Returns the error of `expression` (a Result), with no value to keep.
#define WEIR_TRY(expression)                                                                                 \
  do {                                                                                                       \
    if (auto weir_try_result_ = (expression); !weir_try_result_) return std::move(weir_try_result_).error(); \
  } while (0)
