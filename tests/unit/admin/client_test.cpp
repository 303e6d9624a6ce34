#include "admin/client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "admin/listener.h"
#include "tests/unit/support/temp_dir.h"

namespace weir::admin {
namespace {

TEST(Client, NoSocketMeansNoAgent) {
  const test::TempDir dir;
  const auto reply = Client(dir.file("none.sock")).get("/");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ENOENT);
}

TEST(Client, SocketOfADeadAgent) {
  const test::TempDir dir;
  const std::string path = dir.file("weir.sock");
  listen_unix(path)->reset();
  const auto reply = Client(path).get("/");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ECONNREFUSED);
}

TEST(Client, NotASocket) {
  const test::TempDir dir;
  std::ofstream(dir.file("file")) << "x";
  EXPECT_EQ(Client(dir.file("file")).get("/").error().code, ECONNREFUSED);
}

TEST(Client, NoPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may open every socket";
  const test::TempDir dir;
  const std::string path = dir.file("weir.sock");
  const auto listener = listen_unix(path);
  ::chmod(path.c_str(), 0);
  EXPECT_EQ(Client(path).get("/").error().code, EACCES);
}

TEST(Client, SilentAgentTimesOut) {
  const test::TempDir dir;
  const std::string path = dir.file("weir.sock");
  const auto listener = listen_unix(path);
  const auto reply = Client(path, std::chrono::milliseconds(50)).post("/x", "{}");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ETIMEDOUT);
}

TEST(Client, PathTooLong) {
  EXPECT_EQ(Client(std::string(500, 'x')).get("/").error().code, ENAMETOOLONG);
}

}  // namespace
}  // namespace weir::admin
