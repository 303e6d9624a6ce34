#include "routing/rule/method.h"

#include <gtest/gtest.h>

namespace weir::routing {
namespace {

TEST(Method, WhatMayBeSentTwice) {
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"})
    EXPECT_TRUE(is_idempotent(method)) << method;
  for (const char* method : {"POST", "PATCH", "LOCK", "CONNECT", "get", ""})
    EXPECT_FALSE(is_idempotent(method)) << method;
}

}  // namespace
}  // namespace weir::routing
