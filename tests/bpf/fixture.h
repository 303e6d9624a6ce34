#pragma once
// Each test gets its own sandbox; without one it is skipped.

#include <gtest/gtest.h>

#include "sandbox.h"

namespace weir::datapath::test {

class LiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!sandbox.missing().empty()) GTEST_SKIP() << sandbox.missing();
  }

  /// Opens, applies, attaches.
  Datapath start(const routing::Plan& plan) { return start(plan, sandbox.options()); }
  static Datapath start(const routing::Plan& plan, Options options) {
    auto datapath = Datapath::open(std::move(options));
    if (!datapath) ADD_FAILURE() << datapath.error().message;
    auto applied = datapath->apply(plan);
    if (!applied) ADD_FAILURE() << applied.error().message;
    if (auto attached = datapath->attach(); !attached) ADD_FAILURE() << attached.error().message;
    return *std::move(datapath);
  }

  Sandbox sandbox;
  Servers servers;
};

}  // namespace weir::datapath::test
