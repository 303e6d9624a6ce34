// As gtest_main, but a run in which every test was skipped says so to ctest (77) instead of passing.

#include <gtest/gtest.h>

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const int failed = RUN_ALL_TESTS();
  const auto* all = ::testing::UnitTest::GetInstance();
  if (failed == 0 && all->test_to_run_count() > 0 && all->skipped_test_count() == all->test_to_run_count()) return 77;
  return failed;
}
