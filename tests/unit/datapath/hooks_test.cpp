// Links and the programs of others.

#include "datapath/hooks.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "datapath/bpffs.h"
#include "lifecycle.h"

namespace weir::datapath::test {
namespace {

using HooksTest = LifecycleTest;

TEST_F(HooksTest, DetachedLinksAreMadeAnew) {
  auto datapath = start(plan(1, 0));
  const auto link = pinned("links/connect4");
  ASSERT_EQ(bpf_link_detach(link.get()), 0);
  EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
  auto status = datapath.status();
  EXPECT_FALSE(status.healthy());
  EXPECT_FALSE(status.hooks[0].attached);
  EXPECT_EQ(status.hooks[0].problem, "the link was detached, or its cgroup removed");
  const auto report = datapath.reconcile();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->hooks, (std::vector<std::string>{"hook connect4"}));
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_TRUE(datapath.status().healthy());
}

TEST_F(HooksTest, LinksOnAnotherCgroupMove) {
  { auto datapath = start(plan(1, 0)); }
  Options options = sandbox.options();
  options.cgroup += "/inner";
  ASSERT_EQ(mkdir(options.cgroup.c_str(), 0755), 0);
  {
    auto datapath = start(plan(1, 0), options);
    EXPECT_TRUE(fully_attached(datapath.status()));
    EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED) << "this process is not in there";
  }
  ASSERT_TRUE(uninstall(sandbox.bpffs_dir()));
  rmdir(options.cgroup.c_str());
}

// The kernel lets go of a link whose pin is removed only some time later: the program that a dying start had attached
// ran on beside the next start's, and status called it somebody else's.
TEST_F(HooksTest, ALinkWhoseStartDiedBeforeItsPinHadItsPlaceIsGoneAtOnce) {
  for (int i = 0; i < 50; ++i) {
    SCOPED_TRACE(i);
    { auto datapath = start(plan(1, 0)); }
    for (const char* hook : {"links/connect4", "links/connect6"})
      ASSERT_TRUE(rename_pin(pin_path(hook), pin_path(std::string(hook) + kFreshPin)));
    auto datapath = start(plan(1, 0));
    ASSERT_TRUE(fully_attached(datapath.status()));
    EXPECT_EQ(ask(kVip, 80), 'a');
  }
}

/// A program of somebody else's that lets everything pass.
FileDescriptor foreign_program() {
  const bpf_insn program[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 1},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET4_CONNECT);
  return FileDescriptor(bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "somebody", "GPL", program, 2, &options));
}

TEST_F(HooksTest, ForeignProgramsStayAndAreNamed) {
  const auto program = foreign_program();
  const FileDescriptor cgroup(open(sandbox.cgroup().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const FileDescriptor link(bpf_link_create(program.get(), cgroup.get(), BPF_CGROUP_INET4_CONNECT, nullptr));
  ASSERT_TRUE(link);
  {
    auto datapath = start(plan(1, 0));
    EXPECT_EQ(ask(kVip, 80), 'a');
    const auto status = datapath.status();
    EXPECT_TRUE(status.hooks[0].attached);
    ASSERT_EQ(status.hooks[0].foreign.size(), 1U);
    EXPECT_EQ(status.hooks[0].foreign[0].name, "somebody");
    EXPECT_NE(status.hooks[0].problem.find("shared with somebody"), std::string::npos);
    EXPECT_TRUE(status.hooks[1].problem.empty());
  }
  ASSERT_TRUE(uninstall(sandbox.bpffs_dir()));
  uint32_t count = 0, id = 0;
  bpf_prog_query(cgroup.get(), BPF_CGROUP_INET4_CONNECT, 0, nullptr, &id, &(count = 1));
  EXPECT_EQ(count, 1U) << "still attached";
}

TEST_F(HooksTest, AnExclusiveForeignProgramIsNamedInTheError) {
  const auto program = foreign_program();
  const FileDescriptor cgroup(open(sandbox.cgroup().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(bpf_prog_attach(program.get(), cgroup.get(), BPF_CGROUP_INET4_CONNECT, 0), 0);
  auto datapath = Datapath::open(sandbox.options());
  ASSERT_TRUE(datapath);
  ASSERT_TRUE(datapath->apply(plan(1, 0)));
  const auto attached = datapath->attach();
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().code, EPERM);
  EXPECT_NE(attached.error().message.find("somebody (id "), std::string::npos) << attached.error().message;
  EXPECT_NE(attached.error().message.find("is attached exclusively; it is not ours to detach"), std::string::npos);
  ASSERT_EQ(bpf_prog_detach2(program.get(), cgroup.get(), BPF_CGROUP_INET4_CONNECT), 0);
  EXPECT_TRUE(datapath->attach());
}

}  // namespace
}  // namespace weir::datapath::test
