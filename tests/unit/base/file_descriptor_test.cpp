#include "base/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace weir {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(FileDescriptor, ClosesWhenItGoes) {
  int fd = -1;
  {
    const FileDescriptor owner(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    fd = owner.get();
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(FileDescriptor, MovesOwnership) {
  FileDescriptor first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int fd = first.get();
  FileDescriptor second(std::move(first));
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_EQ(second.get(), fd);
  const int given = second.release();
  EXPECT_FALSE(second.valid());
  EXPECT_TRUE(is_open(given));
  ::close(given);
}

TEST(FileDescriptor, AssignmentClosesWhatWasHeld) {
  FileDescriptor first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int old = first.get();
  first = FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(is_open(old) && old != first.get());
  EXPECT_TRUE(first.valid());
}

}  // namespace
}  // namespace weir
