#include "proxy_process/privileges.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "child.h"

namespace weir::proxy_process {
namespace {

using test::first_failure;
using test::in_child;

TEST(Privileges, AreGoneAndDoNotComeBack) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const int status = in_child([] {
    if (has_no_privileges()) return 50;
    if (drop_privileges(test::kNobody, test::kNobody) != 0) return 51;
    gid_t groups[8];
    return first_failure({has_no_privileges(), ::getuid() == test::kNobody, ::getegid() == test::kNobody,
                          ::getgroups(8, groups) == 0, ::setuid(0) == -1 && errno == EPERM,
                          ::setgid(0) == -1 && errno == EPERM, ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
                          ::prctl(PR_CAPBSET_READ, 21) == 0, ::open("/etc/shadow", O_RDONLY) == -1});
  });
  EXPECT_EXIT_OK(status);
}

TEST(Privileges, N11_TheProxyGoesBeforeTheAgent) {
  const int status = in_child([] {
    offer_to_oom_killer();
    char score[8] = {};
    const int fd = ::open("/proc/self/oom_score_adj", O_RDONLY);
    return first_failure({fd >= 0, ::read(fd, score, sizeof score) == 4, std::string_view(score) == "500\n"});
  });
  EXPECT_EXIT_OK(status);
}

TEST(Privileges, OfRootAreSeen) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_FALSE(has_no_privileges());
}

}  // namespace
}  // namespace weir::proxy_process
