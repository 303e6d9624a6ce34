#include "agent/proxy/launch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sample.h"

namespace weir::agent {
namespace {

using ::testing::HasSubstr;

class ProxyLaunchTest : public test::RunningProxy {
 protected:
  std::string status_line(const std::string& name) {
    std::ifstream file("/proc/" + std::to_string(launched_.pid) + "/status");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with(name + ":")) return line.substr(name.size() + 2);
    return {};
  }
};

TEST_F(ProxyLaunchTest, HasNoRights) {
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_EQ(status_line(set), "0000000000000000") << set;
  EXPECT_EQ(status_line("NoNewPrivs"), "1");
  EXPECT_EQ(status_line("Uid"), "65534\t65534\t65534\t65534");
  EXPECT_EQ(status_line("Gid"), "65534\t65534\t65534\t65534");
  EXPECT_EQ(status_line("Groups").find_first_not_of(' '), std::string::npos);
  EXPECT_EQ(status_line("SigBlk").substr(0, 8), "00000000");
  ASSERT_TRUE(link_->hello(kLong));
  EXPECT_EQ(status_line("Seccomp"), "2");
}

TEST_F(ProxyLaunchTest, HasNoDescriptorsOfOurs) {
  ASSERT_TRUE(link_->hello(kLong));
  const std::string folder = "/proc/" + std::to_string(launched_.pid) + "/fd";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::error_code failed;
    const auto target = std::filesystem::read_symlink(entry.path(), failed).string();
    const int number = std::stoi(entry.path().filename().string());
    if (number <= 2) continue;  // null, null, our stderr
    EXPECT_TRUE(target.starts_with("socket:") || target == "anon_inode:[signalfd]") << number << " " << target;
  }
}

TEST_F(ProxyLaunchTest, ItsSocketIsForUsAlone) {
  struct stat info {};
  ASSERT_EQ(::stat(launched_.socket_path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(info.st_uid, 0U);
}

TEST_F(ProxyLaunchTest, EachHasASocketOfItsOwn) {
  const auto second = launch_proxy(launch_);
  ASSERT_TRUE(second);
  EXPECT_NE(second->socket_path, launched_.socket_path);
  EXPECT_EQ(proxy_sockets(launch_.run_dir), (std::vector{launched_.socket_path, second->socket_path}));
  ::kill(second->pid, SIGKILL);
  ::waitpid(second->pid, nullptr, 0);
}

TEST(ProxyLaunchErrors, AreToldAndLeaveNothing) {
  const weir::test::TempDir dir;
  ProxyLaunch launch;
  launch.run_dir = dir.path().string();
  launch.executable = dir.file("not-there");
  EXPECT_THAT(launch_proxy(launch).error().message, HasSubstr("not-there"));
  std::ofstream(dir.file("text")) << "no program";
  launch.executable = dir.file("text");
  EXPECT_FALSE(launch_proxy(launch));
  launch.executable = "/proc/self/exe";
  launch.cgroup_dir = dir.file("no-cgroup");
  EXPECT_FALSE(launch_proxy(launch));
  launch.cgroup_dir.clear();
  launch.uid = 0;
  EXPECT_THAT(launch_proxy(launch).error().message, HasSubstr("root"));
  launch.uid = 65534;
  launch.run_dir = dir.file(std::string(120, 'x'));
  EXPECT_FALSE(launch_proxy(launch));
  EXPECT_TRUE(proxy_sockets(dir.path().string()).empty());
}

TEST(ProxyUser, IsNobodyUnlessNamed) {
  EXPECT_TRUE(proxy_user_ids(""));
  const auto nobody = proxy_user_ids("nobody");
  ASSERT_TRUE(nobody);
  EXPECT_EQ(nobody->uid, 65534U);
  EXPECT_THAT(proxy_user_ids("no-such-user-here").error().message, HasSubstr("no-such-user-here"));
}

TEST(ProxySockets, AreTakenByNumberAndNothingElseIs) {
  const weir::test::TempDir dir;
  for (const char* name : {"proxy-10.sock", "proxy-9.sock", "proxy-.sock", "proxy-x.sock", "proxy-1.sock.tmp",
                           "weir.sock", "proxy-99999999999999999999999.sock"})
    std::ofstream(dir.file(name)) << "";
  EXPECT_EQ(proxy_sockets(dir.path().string()), (std::vector{dir.file("proxy-9.sock"), dir.file("proxy-10.sock")}));
  EXPECT_TRUE(proxy_sockets(dir.file("nowhere")).empty());
}

}  // namespace
}  // namespace weir::agent
