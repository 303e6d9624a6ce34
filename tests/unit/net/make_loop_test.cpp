#include <gtest/gtest.h>
#include <sys/resource.h>

#include "net/loop.h"

namespace weir::net {
namespace {

TEST(MakeLoop, EpollIsAlwaysThere) {
  auto loop = make_loop(LoopKind::kEpoll);
  ASSERT_TRUE(loop);
  EXPECT_EQ((*loop)->name(), "epoll");
}

TEST(MakeLoop, AutoGivesUringOrSaysWhyNot) {
  std::string why = "untouched";
  auto loop = make_loop(LoopKind::kAuto, &why);
  ASSERT_TRUE(loop);
  EXPECT_EQ(why.empty(), (*loop)->name() == "io_uring") << why;
}

/// The rest of the process's descriptors, so that the next call that needs one fails.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t limit) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit lowered{limit, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &lowered);
  }
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(MakeLoop, WithoutDescriptorsIsAnError) {
  const DescriptorLimit limit(3);
  std::string why;
  auto loop = make_loop(LoopKind::kAuto, &why);
  ASSERT_FALSE(loop);
  EXPECT_EQ(loop.error().code, EMFILE);
  EXPECT_FALSE(why.empty());
}

}  // namespace
}  // namespace weir::net
