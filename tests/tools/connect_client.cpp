// Opens connections and counts who answered; prints one line of JSON. Several targets are taken in turn.
//
//   connect_client 10.96.0.3:9080 --connections 1000 --threads 8 [--mode http|tcp|connect|pingpong] [--requests 1]
//     [--check-peer ADDR:PORT] [--mapped] [--nonblocking] [--bind ADDR:PORT] [--path /] [--host NAME] [--key x-version]
//     [--timeout-ms 5000] [--pause-us N] [--reset] [--sequence] [--cpu N]... [--until-eof] [--warm-up N]
//
// --until-eof: goes on until stdin is closed (or --connections are made), so that a test can change the configuration
// under load. Says "started" on stderr as it begins. --warm-up: so many connections first, not
// counted. Exit code 0 also when connections failed: the caller reads the counts.

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "arguments.h"
#include "client_report.h"
#include "client_worker.h"
#include "socket_address.h"

namespace weir::tools {
namespace {

struct RunOptions {
  ClientOptions client;
  uint64_t connections = 1, threads = 1, warm_up = 0;
  std::vector<int> cpus;
  bool until_eof = false;
};

Result<ClientOptions::Mode> parse_mode(const std::string& text) {
  using Mode = ClientOptions::Mode;
  if (text == "http") return Mode::kHttp;
  if (text == "tcp") return Mode::kTcp;
  if (text == "connect") return Mode::kConnect;
  if (text == "pingpong") return Mode::kPingPong;
  return Error{"--mode " + text + ": not http, tcp, connect or pingpong"};
}

Result<void> parse_numbers(const Arguments& arguments, RunOptions& options) {
  const std::pair<const char*, uint64_t*> numbers[] = {
      {"connections", &options.connections},
      {"threads", &options.threads},
      {"warm-up", &options.warm_up},
      {"requests", &options.client.requests},
      {"timeout-ms", &options.client.timeout_ms},
      {"pause-us", &options.client.pause_us},
  };
  if (arguments.has("until-eof")) options.connections = std::numeric_limits<int64_t>::max();
  for (const auto& [name, target] : numbers) {
    auto number = arguments.number(name, *target);
    if (!number) return std::move(number).error();
    *target = *number;
  }
  if (options.threads < 1 || options.threads > 64) return Error{"--threads: 1 to 64"};
  for (const std::string& cpu : arguments.all("cpu")) options.cpus.push_back(std::stoi(cpu));
  return {};
}

Result<void> parse_addresses(const Arguments& arguments, ClientOptions& client) {
  if (arguments.positional().empty()) return Error{"give a target: ADDRESS:PORT"};
  for (const std::string& text : arguments.positional()) {
    auto target = parse_socket_address(text, arguments.has("mapped"));
    if (!target) return std::move(target).error();
    client.targets.push_back(*target);
  }
  if (arguments.has("bind")) {
    auto address = parse_socket_address(arguments.get("bind"), arguments.has("mapped"));
    if (!address) return std::move(address).error();
    client.bind_to = *address;
  }
  if (arguments.has("check-peer")) client.expected_peer = arguments.get("check-peer");
  return {};
}

Result<RunOptions> parse_options(int argc, char** argv) {
  auto arguments = Arguments::parse(argc, argv,
                                    {"connections", "threads", "mode", "requests", "check-peer", "bind", "path", "host",
                                     "key", "timeout-ms", "pause-us", "cpu", "warm-up"},
                                    {"mapped", "nonblocking", "reset", "sequence", "until-eof"});
  if (!arguments) return std::move(arguments).error();
  RunOptions options;
  options.until_eof = arguments->has("until-eof");
  WEIR_TRY(parse_numbers(*arguments, options));
  WEIR_TRY(parse_addresses(*arguments, options.client));
  auto mode = parse_mode(arguments->get("mode", "http"));
  if (!mode) return std::move(mode).error();
  ClientOptions& client = options.client;
  client.mode = *mode;
  client.key = arguments->get("key", client.key);
  client.nonblocking = arguments->has("nonblocking");
  client.reset = arguments->has("reset");
  client.sequence = arguments->has("sequence");
  const std::string head = "GET " + arguments->get("path", "/") +
                           " HTTP/1.1\r\nHost: " + arguments->get("host", arguments->positional()[0]) + "\r\n";
  client.request = head + "\r\n";
  client.last_request = head + "Connection: close\r\n\r\n";
  return options;
}

void pin(std::thread& thread, const std::vector<int>& cpus, size_t index) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpus[index % cpus.size()], &set);
  pthread_setaffinity_np(thread.native_handle(), sizeof(set), &set);
}

ClientCounts run_workers(const RunOptions& options, uint64_t connections, const std::atomic<bool>& stop) {
  std::atomic<int64_t> tickets{static_cast<int64_t>(connections)};
  std::vector<ClientWorker> workers(options.threads, ClientWorker(options.client));
  std::vector<std::thread> threads;
  for (ClientWorker& worker : workers) {
    threads.emplace_back([&] { worker.run(tickets, stop); });
    pin(threads.back(), options.cpus, threads.size() - 1);
  }
  for (std::thread& thread : threads) thread.join();
  ClientCounts counts;
  for (ClientWorker& worker : workers) counts.merge(worker.take_counts());
  return counts;
}

void watch_stdin(std::atomic<bool>& stop) {
  std::thread([&stop] {
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {}
    stop = true;
  }).detach();
}

}  // namespace
}  // namespace weir::tools

int main(int argc, char** argv) {
  using namespace weir::tools;
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::cerr << "connect_client: " << options.error().message << "\n";
    return 64;
  }
  static std::atomic<bool> stop{false};
  if (options->until_eof) watch_stdin(stop);
  if (options->warm_up > 0) run_workers(*options, options->warm_up, stop);
  if (options->until_eof) std::cerr << "started" << std::endl;
  const auto start = std::chrono::steady_clock::now();
  ClientCounts counts = run_workers(*options, options->connections, stop);
  const std::chrono::nanoseconds elapsed = std::chrono::steady_clock::now() - start;
  std::cout << to_json(std::move(counts), static_cast<uint64_t>(elapsed.count())) << std::endl;
  _exit(0);
}
