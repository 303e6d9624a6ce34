#include "http/fault.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "http/field.h"

namespace weir::http {
namespace {

TEST(Fault, EachHasItsOwnTextThatMayStandInABody) {
  std::set<std::string_view> texts;
  for (int i = 0; i < static_cast<int>(Fault::kCount); ++i) {
    const std::string_view text = fault_text(static_cast<Fault>(i));
    EXPECT_FALSE(text.empty()) << i;
    EXPECT_TRUE(is_field_value(text)) << text;
    EXPECT_TRUE(texts.insert(text).second) << text;
  }
}

TEST(Fault, StatusesAreThoseOfTheRules) {
  EXPECT_EQ(fault_status(Fault::kNone), 0);
  EXPECT_EQ(fault_status(Fault::kDataAfterClose), 0);
  EXPECT_EQ(fault_status(Fault::kVersion), 505);
  EXPECT_EQ(fault_status(Fault::kHttp2Preface), 505);
  EXPECT_EQ(fault_status(Fault::kMethodRefused), 405);
  EXPECT_EQ(fault_status(Fault::kTargetTooLong), 414);
  EXPECT_EQ(fault_status(Fault::kTooManyHeaders), 431);
  EXPECT_EQ(fault_status(Fault::kHeadTooLarge), 431);
  EXPECT_EQ(fault_status(Fault::kLineTooLong), 431);
  EXPECT_EQ(fault_status(Fault::kContentTooLarge), 413);
  EXPECT_EQ(fault_status(Fault::kUnknownCoding), 501);
  EXPECT_EQ(fault_status(Fault::kExpect), 417);
  EXPECT_EQ(fault_status(Fault::kTooManyInterim), 502);
  for (int i = 1; i < static_cast<int>(Fault::kCount); ++i) {
    if (static_cast<Fault>(i) == Fault::kDataAfterClose) continue;
    EXPECT_GE(fault_status(static_cast<Fault>(i)), 400) << fault_text(static_cast<Fault>(i));
  }
}

}  // namespace
}  // namespace weir::http
