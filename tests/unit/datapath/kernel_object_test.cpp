#include "datapath/kernel_object.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "lifecycle.h"

namespace weir::datapath::test {
namespace {

TEST(KernelObject, ADuplicateIsAnotherDescriptorThatChildrenDoNotGet) {
  const FileDescriptor null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto copy = duplicate(null.get(), "nothing");
  ASSERT_TRUE(copy) << copy.error().message;
  EXPECT_NE(copy->get(), null.get());
  EXPECT_EQ(fcntl(copy->get(), F_GETFD), FD_CLOEXEC);
}

TEST(KernelObject, WhatIsClosedHasNoDuplicateAndNoProgram) {
  const auto copy = duplicate(-1, "map splits");
  ASSERT_FALSE(copy);
  EXPECT_EQ(copy.error().code, EBADF);
  EXPECT_EQ(copy.error().message.rfind("duplicate the descriptor of map splits", 0), 0U) << copy.error().message;
  EXPECT_EQ(program_id(-1), 0U);
  const FileDescriptor null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(program_id(null.get()), 0U) << "no program";
  EXPECT_EQ(program_name(0xffffffff), "?");
}

using KernelObjectLive = LifecycleTest;

TEST_F(KernelObjectLive, AProgramHasANumberAndAName) {
  const auto datapath = start(plan(1, 0));
  const auto program = pinned("progs/connect4");
  ASSERT_TRUE(program);
  const uint32_t id = program_id(program.get());
  EXPECT_NE(id, 0U);
  EXPECT_EQ(program_name(id).rfind("weir_connect4", 0), 0U) << program_name(id);
}

}  // namespace
}  // namespace weir::datapath::test
