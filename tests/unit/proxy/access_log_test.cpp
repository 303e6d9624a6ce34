#include "proxy/access_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "proxy/flags.h"

namespace weir::proxy {
namespace {

LogEntry entry() {
  LogEntry entry;
  entry.unix_time_ms = 1704067200123;
  entry.method = "GET";
  entry.target = "/a?b";
  entry.authority = "web.test";
  entry.protocol = "HTTP/1.1";
  entry.status = 503;
  entry.flags = kRetriesUsedUp | kConnectFailure;
  entry.bytes_received = 1;
  entry.bytes_sent = 2;
  entry.duration = std::chrono::milliseconds(3);
  entry.endpoint_duration = std::chrono::milliseconds(4);
  entry.attempts = 3;
  entry.client = "10.1.1.1";
  entry.service = "web.default.svc.cluster.local";
  entry.rule = "jason";
  entry.destination = "web:80/v2";
  entry.endpoint = "10.1.1.2:8080";
  entry.request_id = "id";
  entry.details = "connect_failure";
  return entry;
}

std::string line(const LogEntry& entry, AccessLogFormat format) {
  std::string text;
  append_line(text, entry, format);
  return text;
}

TEST(AccessLog, Text) {
  EXPECT_EQ(line(entry(), AccessLogFormat::kText),
            "[2024-01-01T00:00:00.123Z] \"GET /a?b HTTP/1.1\" 503 URX,UF \"connect_failure\" 1 2 3 4 3 \"10.1.1.1\" "
            "\"web.test\" "
            "\"id\" \"-\" \"web.default.svc.cluster.local\" \"jason\" \"web:80/v2\" \"10.1.1.2:8080\"");
}

TEST(AccessLog, Json) {
  EXPECT_EQ(
      line(entry(), AccessLogFormat::kJson),
      "{\"time\":\"2024-01-01T00:00:00.123Z\",\"method\":\"GET\",\"path\":\"/a?b\",\"protocol\":\"HTTP/"
      "1.1\",\"status\":503,"
      "\"flags\":\"URX,UF\",\"details\":\"connect_failure\",\"bytes_received\":1,\"bytes_sent\":2,\"duration_ms\":3,"
      "\"endpoint_ms\":4,\"attempts\":3,\"client\":\"10.1.1.1\",\"authority\":\"web.test\",\"request_id\":\"id\","
      "\"user_agent\":\"\",\"service\":\"web.default.svc.cluster.local\",\"rule\":\"jason\",\"destination\":\"web:80/"
      "v2\","
      "\"endpoint\":\"10.1.1.2:8080\"}");
}

TEST(AccessLog, NothingFromOutsideBreaksALine) {
  LogEntry hostile = entry();
  hostile.target = "/\"\\\n\x1b[2J\x80\xff";
  for (const AccessLogFormat format : {AccessLogFormat::kText, AccessLogFormat::kJson}) {
    const std::string text = line(hostile, format);
    EXPECT_NE(text.find("/\\\"\\\\\\u000a\\u001b[2J\\u0080\\u00ff"), std::string::npos) << text;
    for (const char c : text) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
  }
}

TEST(AccessLog, OffWritesNothing) {
  EXPECT_EQ(line(entry(), AccessLogFormat::kOff), "");
}

TEST(AccessLog, AFullPipeLosesLinesAndNoTime) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const FileDescriptor out(ends[0]);
  const FileDescriptor in(ends[1]);
  AccessLog log(AccessLogFormat::kText, in.get());
  uint64_t lost = 0;
  for (int count = 0; count < 20'000; ++count) {
    log.add(entry());
    if (count % 100 == 0) lost += log.flush();
  }
  lost += log.flush();
  EXPECT_TRUE(log.pending());
  EXPECT_GT(lost, 0U);
  // What was kept comes out whole once somebody reads.
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::read(out.get(), buffer, sizeof buffer);
    if (count > 0) {
      text.append(buffer, static_cast<size_t>(count));
      continue;
    }
    if (!log.pending()) break;
    lost += log.flush();
  }
  const auto lines = static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
  EXPECT_EQ(lines + lost, 20'000U);
  EXPECT_EQ(text.size() % lines, 0U) << "all lines are equal, so none is cut";
}

TEST(AccessLog, AClosedReaderIsNoReasonToKeepLines) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const FileDescriptor in(ends[1]);
  ::close(ends[0]);
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  AccessLog log(AccessLogFormat::kText, in.get());
  log.add(entry());
  log.add(entry());
  EXPECT_EQ(log.flush(), 2U);
  EXPECT_FALSE(log.pending());
  ::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace weir::proxy
