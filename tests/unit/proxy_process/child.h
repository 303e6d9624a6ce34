#pragma once
// Work in a child process without rights, as the proxy has none; its exit tells how it went.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "proxy_process/privileges.h"

namespace weir::proxy_process::test {

constexpr int kNobody = 65534;

/// The status as waitpid() has it. `work` returns the exit code.
inline int in_child(const std::function<int()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::alarm(30);
    ::_exit(work());
  }
  int status = -1;
  ::waitpid(pid, &status, 0);
  return status;
}

inline int in_child_without_rights(const std::function<int()>& work) {
  return in_child([&work] { return drop_privileges(kNobody, kNobody) == 0 ? work() : 99; });
}

/// 0, or 1 + which of `checks` failed first.
inline int first_failure(std::initializer_list<bool> checks) {
  int number = 0;
  for (const bool good : checks) {
    ++number;
    if (!good) return number;
  }
  return 0;
}

#define EXPECT_EXIT_OK(status)                               \
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) \
      << "exit " << WEXITSTATUS(status) << ", status " << (status)

}  // namespace weir::proxy_process::test
