#include "admin/server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "admin/client.h"
#include "admin/listener.h"
#include "tests/unit/support/temp_dir.h"

namespace weir::admin {
namespace {

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.add(
        Method::kGet, "/echo",
        [](const Request& request) {
          const auto found = request.query.find("q");
          return Response{200, nlohmann::json(found == request.query.end() ? "" : found->second).dump()};
        },
        "answers with q");
    server_.add(
        Method::kPost, "/body",
        [](const Request& request) {
          return Response{200, request.body, "text/plain"};
        },
        "answers with the body");
    server_.add(
        Method::kPost, "/change",
        [](const Request&) {
          return Response{200, "{}"};
        },
        "changes", Access::kChange);
    server_.add(
        Method::kGet, "/throw", [](const Request&) -> Response { throw std::runtime_error("broken on purpose"); },
        "throws");
    server_.add(
        Method::kGet, "/peer",
        [](const Request& request) {
          return Response{200, std::to_string(request.peer.pid)};
        },
        "the caller's process");
    const auto started = server_.start(socket_);
    ASSERT_TRUE(started) << started.error().message;
  }

  /// Sends `bytes` as they are and returns all that comes back.
  std::string raw(const std::string& bytes) {
    auto fd = connect_unix(socket_);
    EXPECT_TRUE(fd);
    EXPECT_EQ(::send(fd->get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    ::shutdown(fd->get(), SHUT_WR);
    std::string answer(65536, '\0');
    size_t size = 0;
    for (ssize_t count = 0; (count = ::recv(fd->get(), answer.data() + size, answer.size() - size, 0)) > 0;)
      size += static_cast<size_t>(count);
    answer.resize(size);
    return answer;
  }

  test::TempDir dir_;
  std::string socket_ = dir_.file("weir.sock");
  Server server_;
  Client client_{socket_};
};

TEST_F(ServerTest, AnswersGetWithQuery) {
  const auto reply = client_.get("/echo?q=a%20b");
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "\"a b\"");
}

TEST_F(ServerTest, AnswersPostWithBody) {
  const std::string body(100'000, 'x');
  const auto reply = client_.post("/body", body);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->body, body);
}

TEST_F(ServerTest, ListsItsEndpoints) {
  const auto reply = client_.get("/");
  ASSERT_TRUE(reply);
  const auto list = nlohmann::json::parse(reply->body)["endpoints"];
  ASSERT_EQ(list.size(), 5U);
  EXPECT_EQ(list[0]["method"], "POST");
  EXPECT_EQ(list[0]["path"], "/body");
  EXPECT_EQ(list[0]["help"], "answers with the body");
}

TEST_F(ServerTest, SocketIsNotForEveryone) {
  struct stat info {};
  ASSERT_EQ(::stat(socket_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660U);
}

TEST_F(ServerTest, TellsThePeersProcess) {
  const auto reply = client_.get("/peer");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, std::to_string(::getpid()));
}

TEST_F(ServerTest, NothingChangesByGet) {
  const auto reply = client_.get("/change");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 405);
  EXPECT_EQ(nlohmann::json::parse(reply->body)["error"], "/change takes POST, not GET");
}

TEST_F(ServerTest, PostWhereGetIsMeant) {
  EXPECT_EQ(client_.post("/echo", "{}")->status, 405);
}

TEST_F(ServerTest, RootMayChange) {
  // The test's own user is the server's, so it may change whoever it is.
  EXPECT_EQ(client_.post("/change", "{}")->status, 200);
}

TEST_F(ServerTest, UnknownPath) {
  const auto reply = client_.get("/nonsense");
  EXPECT_EQ(reply->status, 404);
  EXPECT_NE(reply->body.find("no such path: /nonsense"), std::string::npos);
}

TEST_F(ServerTest, UnknownMethod) {
  EXPECT_EQ(raw("DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n").substr(0, 12), "HTTP/1.1 405");
  EXPECT_EQ(raw("PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx").substr(0, 12), "HTTP/1.1 405");
}

TEST_F(ServerTest, LongPathIsRefused) {
  EXPECT_EQ(client_.get("/" + std::string(5000, 'a'))->status, 414);
}

TEST_F(ServerTest, OverlongPathIsRefused) {
  EXPECT_EQ(client_.get("/" + std::string(100'000, 'a'))->status, 414);
}

TEST_F(ServerTest, BodyBeyondTheLimitIsRefused) {
  EXPECT_EQ(raw("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n").substr(0, 12), "HTTP/1.1 413");
}

TEST_F(ServerTest, GarbageIsABadRequest) {
  EXPECT_EQ(raw("\x01\x02garbage\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
}

TEST_F(ServerTest, EmptyConnectionIsNoHarm) {
  EXPECT_EQ(raw(""), "");
  EXPECT_EQ(client_.get("/echo")->status, 200);
}

TEST_F(ServerTest, HandlerThatThrowsIsA500) {
  const auto reply = client_.get("/throw");
  EXPECT_EQ(reply->status, 500);
  EXPECT_EQ(nlohmann::json::parse(reply->body)["error"], "broken on purpose");
}

TEST_F(ServerTest, ManyClientsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        const auto reply = client_.get("/echo?q=" + std::to_string(i));
        good += reply && reply->status == 200 && reply->body == "\"" + std::to_string(i) + "\"";
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
}

TEST_F(ServerTest, SecondServerOnTheSameSocketIsRefused) {
  Server second;
  const auto started = second.start(socket_);
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("in use"), std::string::npos);
  EXPECT_EQ(client_.get("/echo")->status, 200);
}

TEST_F(ServerTest, StopRemovesTheSocket) {
  server_.stop();
  EXPECT_FALSE(std::filesystem::exists(socket_));
  server_.stop();
}

TEST_F(ServerTest, StopCutsOffASilentClient) {
  auto fd = connect_unix(socket_);
  ASSERT_TRUE(fd);
  EXPECT_EQ(client_.get("/echo")->status, 200);  // the silent one has been accepted before this one
  server_.stop();
  char byte = 0;
  EXPECT_EQ(::recv(fd->get(), &byte, 1, 0), 0);
}

TEST(ServerStart, ReplacesASocketThatNobodyListensOn) {
  const test::TempDir dir;
  const std::string path = dir.file("weir.sock");
  { (void)listen_unix(path)->get(); }
  ASSERT_TRUE(std::filesystem::exists(path));
  Server server;
  EXPECT_TRUE(server.start(path));
}

TEST(ServerStart, DoesNotReplaceAFile) {
  const test::TempDir dir;
  const std::string path = dir.file("weir.sock");
  std::ofstream(path) << "precious";
  Server server;
  const auto started = server.start(path);
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("is not a socket"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ServerStart, NeedsTheDirectory) {
  const test::TempDir dir;
  Server server;
  EXPECT_FALSE(server.start(dir.file("missing/weir.sock")));
}

TEST(ServerStart, RefusesAPathThatDoesNotFit) {
  Server server;
  const auto started = server.start("/tmp/" + std::string(200, 'x'));
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("must have 1 to 107 bytes"), std::string::npos);
}

TEST(ServerLimits, SlowClientDoesNotHoldAWorker) {
  const test::TempDir dir;
  const std::string path = dir.file("weir.sock");
  Server server(
      {.workers = 1, .queued_connections = 4, .body_bytes = 1000, .exchange = std::chrono::milliseconds(100)});
  server.add(
      Method::kGet, "/x", [](const Request&) { return Response{}; }, "x");
  ASSERT_TRUE(server.start(path));
  auto slow = connect_unix(path);
  ASSERT_EQ(::send(slow->get(), "GET /x", 6, MSG_NOSIGNAL), 6);
  const auto reply = Client(path).get("/x");  // the only worker is free again after 100 ms
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 200);
}

TEST(ServerLimits, ConnectionsBeyondTheQueueAreClosed) {
  const test::TempDir dir;
  const std::string path = dir.file("weir.sock");
  Server server({.workers = 1, .queued_connections = 1, .body_bytes = 1000, .exchange = std::chrono::seconds(30)});
  ASSERT_TRUE(server.start(path));
  std::vector<FileDescriptor> clients;
  std::vector<pollfd> entries;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::move(*connect_unix(path)));
    entries.push_back({clients.back().get(), POLLIN, 0});
  }
  // One may be with the worker and one in the queue; which of the rest is closed first is open.
  ASSERT_GT(::poll(entries.data(), entries.size(), 10'000), 0);
}

}  // namespace
}  // namespace weir::admin
