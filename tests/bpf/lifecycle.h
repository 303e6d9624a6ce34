#pragma once
// For tests that start, kill and restart: one service with two versions, children that die at a given step, and what is
// left of them.

#include <bpf/bpf.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "bpf/abi.h"
#include "datapath/hooks.h"
#include "datapath/steps.h"
#include "fixture.h"

namespace weir::datapath::test {

inline constexpr const char* kVip = "127.9.0.1";

class LifecycleTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    a = servers.start('a');
    b = servers.start('b');
  }
  routing::Plan plan(uint64_t left, uint64_t right, uint64_t generation = 1) const {
    return make_plan({make_service("svc", kVip, 80, {{left, {a}}, {right, {b}}})}, generation);
  }
  [[nodiscard]] std::string pin_path(const std::string& name) const { return sandbox.bpffs_dir() + "/" + name; }
  [[nodiscard]] FileDescriptor pinned(const std::string& name) const {
    return FileDescriptor(bpf_obj_get(pin_path(name).c_str()));
  }
  /// As somebody with bpftool might: gives the first destination of the only split next to nothing.
  void spoil_the_split() const {
    const auto splits = pinned("maps/splits");
    uint32_t id = 0;
    ASSERT_EQ(bpf_map_get_next_key(splits.get(), nullptr, &id), 0);
    abi::split split{};
    ASSERT_EQ(bpf_map_lookup_elem(splits.get(), &id, &split), 0);
    split.destinations[0].last = 5;
    ASSERT_EQ(bpf_map_update_elem(splits.get(), &id, &split, BPF_ANY), 0);
  }

  routing::PlanEndpoint a, b;
};

inline int steps_left = 0;

/// Runs `work` in a child that dies without a word before its step number `step`. True if it got that far.
template <class Work>
bool dies_before(int step, Work work) {
  const pid_t child = fork();
  if (child == 0) {
    steps_left = step;
    step_watcher = [](std::string_view) {
      if (steps_left-- == 0) _exit(7);
    };
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

/// What the maps say, without counts, cursors and verdicts.
inline std::string content(const Datapath& datapath) {
  auto view = *datapath.read();
  std::string text;
  for (const auto& frontend : view.frontends) text += to_string(frontend.address, frontend.port) + " ";
  for (const auto& split : view.splits) {
    text += split.name;
    for (const auto& destination : split.destinations) {
      text += " " + destination.label + "=" + std::to_string(destination.share);
      for (const auto& endpoint : destination.endpoints) text += " " + to_string(endpoint.address, endpoint.port);
    }
  }
  return text + " problems " + std::to_string(view.problems.size());
}

/// Every hook there is, and nothing to complain about.
inline bool fully_attached(const Status& status) {
  for (const auto& hook : status.hooks)
    if (!hook.attached || !hook.problem.empty()) return false;
  return status.hooks.size() == kHookCount;
}

}  // namespace weir::datapath::test
