// Load on keep-alive connections from one thread; prints one line of JSON (as connect_client's; "total" counts
// requests).
//
//   http_load 10.96.0.3:80 --connections 32 --requests 20000 [--rate N] [--path /100] [--host NAME] [--pad BYTES]
//     [--percent 25 --header "end-user: jason"] [--version v2] [--special-version v3] [--warm-up N] [--hold |
//     --until-eof]
//
// --percent of the requests carry --header. --version, --special-version: who must answer the others, and these;
// anybody else is "misrouted". --rate: requests a second, sent when they are due; latencies count from then. --pad: the
// head is filled up to so many bytes. --hold: one request on each connection, says "holding" on stderr, idles until
// stdin ends, one more on each.
// --until-eof: goes on until stdin ends; says "started".

#include <chrono>
#include <iostream>
#include <string>

#include "arguments.h"
#include "client_report.h"
#include "load_engine.h"

namespace weir::tools {
namespace {

struct RunOptions {
  LoadOptions load;
  uint64_t warm_up = 0;
};

/// What a browser behind a gateway sends, filled up to `size` bytes.
std::string make_request(const Arguments& arguments, const std::string& header, uint64_t size) {
  std::string text = "GET " + arguments.get("path", "/") +
                     " HTTP/1.1\r\nHost: " + arguments.get("host", arguments.positional()[0]) + "\r\n";
  if (!header.empty()) text += header + "\r\n";
  constexpr std::string_view kPad = "X-Pad: ";
  if (size > text.size() + kPad.size() + 4) {
    text += "User-Agent: http_load\r\nAccept: text/html,application/json;q=0.9,*/*;q=0.8\r\n";
    if (size > text.size() + kPad.size() + 4) {
      text += kPad;
      text += std::string(size - text.size() - 4, 'p') + "\r\n";
    }
  }
  return text + "\r\n";
}

Result<void> parse_numbers(const Arguments& arguments, RunOptions& options) {
  uint64_t rate = 0;
  const std::pair<const char*, uint64_t*> numbers[] = {{"connections", &options.load.connections},
                                                       {"requests", &options.load.requests},
                                                       {"percent", &options.load.special_percent},
                                                       {"rate", &rate},
                                                       {"warm-up", &options.warm_up}};
  for (const auto& [name, target] : numbers) {
    auto number = arguments.number(name, *target);
    if (!number) return std::move(number).error();
    *target = *number;
  }
  options.load.rate = static_cast<double>(rate);
  if (options.load.connections < 1) return Error{"--connections: at least 1"};
  if (options.load.special_percent > 100) return Error{"--percent: 0 to 100"};
  return {};
}

Result<RunOptions> parse_options(int argc, char** argv) {
  auto arguments = Arguments::parse(argc, argv,
                                    {"connections", "requests", "rate", "path", "host", "pad", "percent", "header",
                                     "version", "special-version", "warm-up"},
                                    {"hold", "until-eof"});
  if (!arguments) return std::move(arguments).error();
  if (arguments->positional().size() != 1) return Error{"give one target: ADDRESS:PORT"};
  auto target = parse_socket_address(arguments->positional()[0]);
  if (!target) return std::move(target).error();
  RunOptions options;
  options.load.target = *target;
  WEIR_TRY(parse_numbers(*arguments, options));
  auto pad = arguments->number("pad", 0);
  if (!pad) return std::move(pad).error();
  options.load.plain = make_request(*arguments, "", *pad);
  options.load.special = make_request(*arguments, arguments->get("header"), *pad);
  options.load.plain_version = arguments->get("version");
  options.load.special_version = arguments->get("special-version", arguments->get("version"));
  options.load.hold = arguments->has("hold");
  options.load.until_eof = arguments->has("until-eof");
  return options;
}

Result<ClientCounts> run(const LoadOptions& load, uint64_t& elapsed_ns) {
  LoadEngine engine(load);
  WEIR_TRY(engine.open());
  if (load.until_eof) std::cerr << "started" << std::endl;
  const auto start = std::chrono::steady_clock::now();
  engine.run();
  elapsed_ns = static_cast<uint64_t>(std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
  return engine.take_counts();
}

}  // namespace
}  // namespace weir::tools

int main(int argc, char** argv) {
  using namespace weir::tools;
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::cerr << "http_load: " << options.error().message << "\n";
    return 64;
  }
  uint64_t elapsed_ns = 0;
  if (options->warm_up > 0) {
    LoadOptions first = options->load;
    first.requests = options->warm_up;
    first.hold = first.until_eof = false;
    if (const auto warmed = run(first, elapsed_ns); !warmed) {
      std::cerr << "http_load: " << warmed.error().message << "\n";
      return 1;
    }
  }
  auto counts = run(options->load, elapsed_ns);
  if (!counts) {
    std::cerr << "http_load: " << counts.error().message << "\n";
    return 1;
  }
  std::cout << to_json(std::move(*counts), elapsed_ns) << std::endl;
  return 0;
}
