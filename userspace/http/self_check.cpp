#include "http/self_check.h"

#include <cstdio>
#include <cstdlib>

#include "http/parser.h"

namespace weir::http {
namespace {

/// Room for what the proxy itself adds.
const Limits& own_limits() {
  static const Limits limits = [] {
    Limits wide;
    wide.max_headers = 1000;
    wide.max_head_bytes = 1 << 20;
    wide.max_line_bytes = 256 * 1024;
    wide.max_target_bytes = 256 * 1024;
    wide.max_interim_responses = 1;
    return wide;
  }();
  return limits;
}

template <class Parser>
std::string read_head(Parser& parser, std::span<const char> bytes) {
  const ParseStep step = parser.feed({bytes.data(), bytes.size()});
  if (step.event == Event::kError) return std::string(fault_text(parser.fault()));
  if (step.event != Event::kHead) return "the head does not end";
  return step.consumed == bytes.size() ? "" : "bytes after the head";
}

void require(const std::string& problem, std::span<const char> bytes) {
  if (problem.empty()) return;
  std::fprintf(stderr, "unsound message head: %s\n%.*s\n", problem.c_str(), static_cast<int>(bytes.size()),
               bytes.data());
  std::abort();
}

}  // namespace

std::string unsound_request(std::span<const char> bytes, const RequestHead& head) {
  RequestParser parser(own_limits());
  if (std::string problem = read_head(parser, bytes); !problem.empty()) return problem;
  if (parser.head().method_name != head.method_name) return "another method";
  const bool same = parser.head().framing == head.framing && parser.head().content_length == head.content_length;
  return same ? "" : "another framing";
}

std::string unsound_response(std::span<const char> bytes, const ResponseHead& head,
                             const ResponseWriteOptions& options) {
  ResponseParser parser(own_limits());
  parser.expect(options.request_method, head.status == 101 ? head.headers.value(HeaderId::kUpgrade) : "");
  if (std::string problem = read_head(parser, bytes); !problem.empty()) return problem;
  if (parser.head().status != head.status) return "another status";
  const Framing framing = client_framing(head, options.client_version, options.request_method);
  const std::uint64_t length = framing == Framing::kLength ? head.content_length : 0;
  const bool same =
      parser.head().framing == framing && (framing == Framing::kNone || parser.head().content_length == length);
  return same ? "" : "another framing";
}

void require_sound_request(std::span<const char> bytes, const RequestHead& head) {
  require(unsound_request(bytes, head), bytes);
}

void require_sound_response(std::span<const char> bytes, const ResponseHead& head,
                            const ResponseWriteOptions& options) {
  require(unsound_response(bytes, head, options), bytes);
}

}  // namespace weir::http
