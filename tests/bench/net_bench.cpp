// Ping-pong over loopback, client and server in one loop: what a message costs on io_uring and on epoll. Compare the
// two columns of one run; absolute numbers are the machine's.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "net/loop.h"

namespace weir::net {
namespace {

struct Echo final : StreamHandler {
  size_t on_data(std::string_view bytes) override {
    waiting -= std::min(waiting, bytes.size());
    if (waiting == 0) {
      stream.write_whole(answer);
      waiting = question_size;
    }
    return bytes.size();
  }
  void on_eof() override { stream.close(); }
  void on_write_failed(int) override {}
  void on_error(int) override {}
  Stream stream;
  std::string answer;
  size_t question_size = 0, waiting = 0;
};

struct Asker final : StreamHandler {
  void ask() {
    stream.write_whole(question);
    waiting = answer_size;
  }
  size_t on_data(std::string_view bytes) override {
    waiting -= std::min(waiting, bytes.size());
    if (waiting == 0) {
      ++*answered;
      ask();
    }
    return bytes.size();
  }
  void on_eof() override {}
  void on_write_failed(int) override {}
  void on_error(int) override {}
  Stream stream;
  std::string question;
  size_t answer_size = 0, waiting = 0;
  uint64_t* answered = nullptr;
};

struct Acceptor final : AcceptHandler {
  void on_accept(FileDescriptor fd) override {
    auto echo = std::make_unique<Echo>();
    echo->answer.assign(answer_size, 'a');
    echo->question_size = echo->waiting = question_size;
    echo->stream = loop->adopt(std::move(fd), *echo);
    echoes.push_back(std::move(echo));
  }
  Loop* loop = nullptr;
  size_t question_size = 0, answer_size = 0;
  std::vector<std::unique_ptr<Echo>> echoes;
};

void ping_pong(benchmark::State& state, LoopKind kind) {
  auto loop = make_loop(kind);
  if (!loop) {
    state.SkipWithError(loop.error().message.c_str());
    return;
  }
  Acceptor acceptor;
  acceptor.loop = loop->get();
  acceptor.question_size = 450;
  acceptor.answer_size = static_cast<size_t>(state.range(1));
  auto fd = listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
  const SocketAddress address = *local_address(fd->get());
  (*loop)->add_listener(std::move(*fd), acceptor);
  uint64_t answered = 0;
  std::vector<std::unique_ptr<Asker>> askers;
  for (int64_t count = 0; count < state.range(0); ++count) {
    auto asker = std::make_unique<Asker>();
    asker->question.assign(acceptor.question_size, 'q');
    asker->answer_size = acceptor.answer_size;
    asker->answered = &answered;
    asker->stream = *(*loop)->connect(address, *asker);
    asker->ask();
    askers.push_back(std::move(asker));
  }
  for (auto _ : state) {
    const uint64_t goal = answered + static_cast<uint64_t>(state.range(0));
    while (answered < goal) (*loop)->run_once(std::chrono::seconds(1));
  }
  state.SetItemsProcessed(static_cast<int64_t>(answered));
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"connections", "answer"});
  for (const int connections : {1, 32, 256}) {
    for (const int answer : {100, 16384}) bench->Args({connections, answer});
  }
}

BENCHMARK_CAPTURE(ping_pong, uring, LoopKind::kUring)->Apply(sizes);
BENCHMARK_CAPTURE(ping_pong, epoll, LoopKind::kEpoll)->Apply(sizes);

}  // namespace
}  // namespace weir::net
