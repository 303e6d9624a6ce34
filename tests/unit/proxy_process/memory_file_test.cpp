#include "proxy_process/memory_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace weir::proxy_process {
namespace {

using ::testing::HasSubstr;

TEST(MemoryFile, HoldsItsBytes) {
  const std::string bytes(3 << 20, 'x');
  const auto file = make_memory_file(bytes);
  ASSERT_TRUE(file);
  const auto read = read_memory_file(file->get(), bytes.size());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, bytes);
}

TEST(MemoryFile, NobodyChangesIt) {
  const auto file = make_memory_file("text");
  ASSERT_TRUE(file);
  EXPECT_EQ(::pwrite(file->get(), "x", 1, 0), -1);
  EXPECT_EQ(::ftruncate(file->get(), 1), -1);
  EXPECT_EQ(::ftruncate(file->get(), 100), -1);
  EXPECT_EQ(::mmap(nullptr, 4, PROT_READ | PROT_WRITE, MAP_SHARED, file->get(), 0), MAP_FAILED);
}

TEST(MemoryFile, AnotherSizeThanToldIsRefused) {
  const auto file = make_memory_file("text");
  ASSERT_TRUE(file);
  for (const uint64_t size : {uint64_t{0}, uint64_t{3}, uint64_t{5}, uint64_t{1} << 62})
    EXPECT_FALSE(read_memory_file(file->get(), size)) << size;
}

TEST(MemoryFile, OneWithoutAllSealsIsRefused) {
  FileDescriptor file(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::write(file.get(), "text", 4), 4);
  EXPECT_THAT(read_memory_file(file.get(), 4).error().message, HasSubstr("not sealed"));
  ASSERT_EQ(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
  EXPECT_THAT(read_memory_file(file.get(), 4).error().message, HasSubstr("not sealed"));
}

TEST(MemoryFile, WhatIsNoneIsRefusedAndNeverWaitedFor) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const FileDescriptor in(ends[0]), out(ends[1]), null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(read_memory_file(in.get(), 4));
  EXPECT_FALSE(read_memory_file(null.get(), 0));
  EXPECT_FALSE(read_memory_file(-1, 4));
}

}  // namespace
}  // namespace weir::proxy_process
