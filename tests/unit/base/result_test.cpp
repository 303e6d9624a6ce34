#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace weir {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{"odd"};
  return number / 2;
}

Result<void> must_be_even(int number) {
  WEIR_TRY(half(number));
  return {};
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_EQ(half(4).value(), 2);
  EXPECT_EQ(half(3).error().message, "odd");
  EXPECT_EQ(half(3).value_or(7), 7);
  EXPECT_TRUE(must_be_even(2));
  EXPECT_EQ(must_be_even(3).error().message, "odd");
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

TEST(Error, LayersAddWordsInFront) {
  const Error error = Error{"weights sum to 0"}.context("route \"api\"").context("load canary.yaml");
  EXPECT_EQ(error.message, "load canary.yaml: route \"api\": weights sum to 0");
}

TEST(Error, NamesTheErrno) {
  const Error error = errno_error("open /x", -EACCES);
  EXPECT_EQ(error.message, "open /x: Permission denied");
  EXPECT_EQ(error.code, EACCES);
}

}  // namespace
}  // namespace weir
