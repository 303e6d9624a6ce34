#include "proxy_process/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

#include "base/file_descriptor.h"

namespace weir::proxy_process {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// stderr is a pipe while it lives.
class CapturedStderr {
 public:
  CapturedStderr() : before_(::dup(STDERR_FILENO)) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read_.reset(ends[0]);
    const FileDescriptor write(ends[1]);
    ::dup2(write.get(), STDERR_FILENO);
  }
  ~CapturedStderr() { ::dup2(before_.get(), STDERR_FILENO); }
  std::string text() {
    std::string bytes(65536, '\0');
    const ssize_t count = ::read(read_.get(), bytes.data(), bytes.size());
    bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return bytes;
  }

 private:
  FileDescriptor before_, read_;
};

TEST(Log, WritesALine) {
  CapturedStderr captured;
  log_line(LogLevel::kWarning, "something is odd");
  const std::string text = captured.text();
  EXPECT_THAT(text, HasSubstr(": something is odd\n"));
}

TEST(Log, AForgedLineStaysOneLine) {
  CapturedStderr captured;
  log_line(LogLevel::kInfo, "name \"x\n2026-01-01 error forged\x1b[2J\"");
  const std::string text = captured.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(text, HasSubstr("\\x0a"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(Log, NobodyWhoReadsIsNotWaitedFor) {
  CapturedStderr captured;
  const uint64_t lost = lost_log_lines();
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 5000; ++i) log_line(LogLevel::kInfo, std::string(200, 'x'));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
  EXPECT_GT(lost_log_lines(), lost) << "a pipe holds 64 KiB";
}

}  // namespace
}  // namespace weir::proxy_process
