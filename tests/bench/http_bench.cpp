// One request through the codec: parse a head of about 450 bytes, as a browser behind a mesh sends it, and write it for
// the endpoint; the same for a response. Aim: below 1 us for the request.
#include <benchmark/benchmark.h>
#include <llhttp.h>

#include <array>
#include <string>

#include "http/body_writer.h"
#include "http/parser.h"
#include "http/serializer.h"

namespace weir::http {
namespace {

const std::string kRequest =
    "GET /productpage?u=normal&page=2 HTTP/1.1\r\n"
    "Host: productpage.default.svc.cluster.local:9080\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Cookie: session=eyJ1c2VyIjoiamFzb24ifQ.ZkT0Xg.abcdefgh\r\n"
    "end-user: jason\r\n"
    "x-request-id: 8c4a2a5e-0b1c-9d3e-8f4a-5b6c7d8e9f00\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

const std::string kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: gunicorn\r\n"
    "Date: Mon, 06 Jul 2026 12:00:00 GMT\r\n"
    "Connection: keep-alive\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Length: 100\r\n"
    "Set-Cookie: session=eyJ1c2VyIjoiamFzb24ifQ; HttpOnly; Path=/\r\n"
    "x-envoy-upstream-service-time: 12\r\n"
    "\r\n";

const Limits kLimits;

// The floor: llhttp with callbacks that do nothing.
void llhttp_alone(benchmark::State& state) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_url = settings.on_header_field =
      settings.on_header_value = [](llhttp_t*, const char*, std::size_t) { return 0; };
  settings.on_header_value_complete = settings.on_headers_complete = [](llhttp_t*) { return 0; };
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  for (auto _ : state) benchmark::DoNotOptimize(llhttp_execute(&parser, kRequest.data(), kRequest.size()));
}
BENCHMARK(llhttp_alone);

void parse_request(benchmark::State& state) {
  RequestParser parser(kLimits);
  for (auto _ : state) {
    benchmark::DoNotOptimize(parser.feed(kRequest));
    benchmark::DoNotOptimize(parser.feed(""));
    parser.next_message();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kRequest.size()));
}
BENCHMARK(parse_request);

void write_request(benchmark::State& state) {
  RequestParser parser(kLimits);
  parser.feed(kRequest);
  const RequestWriteOptions options{.client_address = "10.244.0.17", .forwarded_proto = "http", .via = "weir"};
  std::array<char, 4096> out;
  for (auto _ : state) benchmark::DoNotOptimize(write_request_head(parser.head(), options, out));
}
BENCHMARK(write_request);

void forward_request(benchmark::State& state) {
  RequestParser parser(kLimits);
  const RequestWriteOptions options{.client_address = "10.244.0.17", .forwarded_proto = "http", .via = "weir"};
  std::array<char, 4096> out;
  for (auto _ : state) {
    parser.feed(kRequest);
    parser.feed("");
    benchmark::DoNotOptimize(write_request_head(parser.head(), options, out));
    parser.next_message();
  }
}
BENCHMARK(forward_request);

void forward_response(benchmark::State& state) {
  ResponseParser parser(kLimits);
  std::array<char, 4096> out;
  const std::string body(100, 'b');
  for (auto _ : state) {
    parser.expect(Method::kGet);
    parser.feed(kResponse);
    benchmark::DoNotOptimize(write_response_head(parser.head(), {}, out));
    parser.feed(body);
    parser.feed("");
    parser.next_message();
  }
}
BENCHMARK(forward_response);

void chunked_body(benchmark::State& state) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string body;
  for (int i = 0; i < 4; ++i) body += "1000\r\n" + std::string(4096, 'x') + "\r\n";
  body += "0\r\n\r\n";
  RequestParser parser(kLimits);
  for (auto _ : state) {
    parser.feed(head);
    std::string_view input = body;
    for (;;) {
      const ParseStep step = parser.feed(input);
      input.remove_prefix(step.consumed);
      if (step.event == Event::kMessageComplete) break;
    }
    parser.next_message();
  }
}
BENCHMARK(chunked_body);

}  // namespace
}  // namespace weir::http
