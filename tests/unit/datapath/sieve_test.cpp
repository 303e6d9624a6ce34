#include "datapath/sieve.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <algorithm>
#include <memory>

#include "bpf/packet/sieve.h"

namespace weir::datapath::test {
namespace {

int make_map(uint32_t flags) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
  return bpf_map_create(BPF_MAP_TYPE_ARRAY, "sieve", sizeof(uint32_t), sizeof(abi::sieve), 1, &options);
}

TEST(SieveLive, AMarkIsOneByteAndStays) {
  const FileDescriptor map(make_map(BPF_F_MMAPABLE));
  if (!map) GTEST_SKIP() << "may not make maps";
  auto sieve = Sieve::open(map.get());
  ASSERT_TRUE(sieve) << sieve.error().message;
  const auto marks = [&] {
    const uint32_t zero = 0;
    auto seen = std::make_unique<abi::sieve>();
    EXPECT_EQ(bpf_map_lookup_elem(map.get(), &zero, seen.get()), 0);
    return std::count(std::begin(seen->seen), std::end(seen->seen), 1);
  };
  EXPECT_EQ(marks(), 0);
  sieve->mark(*IpAddress::parse("203.0.113.10"), 80, 6);
  sieve->mark(*IpAddress::parse("203.0.113.10"), 80, 6);
  EXPECT_EQ(marks(), 1);
  sieve->mark(*IpAddress::parse("203.0.113.10"), 80, 17);
  sieve->mark(*IpAddress::parse("2001:db8::10"), 80, 6);
  EXPECT_EQ(marks(), 3);
}

TEST(SieveLive, WhatCannotBeMappedIsAnError) {
  EXPECT_FALSE(Sieve::open(-1));
  const FileDescriptor map(make_map(0));
  if (!map) GTEST_SKIP() << "may not make maps";
  EXPECT_FALSE(Sieve::open(map.get())) << "made without BPF_F_MMAPABLE";
}

}  // namespace
}  // namespace weir::datapath::test
