// Request heads: parse, cut, write for an endpoint, read back.
#include "http/self_check.h"
#include "http/serializer.h"
#include "tests/fuzz/http_fuzz.h"

using namespace weir::http;

namespace {

/// Writes the head, and parses what was written: nothing but what we change may have changed.
void check_forwarding(RequestHead& head, std::string_view raw) {
  RequestWriteOptions options;
  options.client_address = "10.0.0.1";
  options.via = "weir";
  if (head.authority.empty()) options.authority = "service";
  std::string wire(request_head_bound(head, options), '?');
  const Written written = write_request_head(head, options, wire);
  if (!written && head.method == Method::kOptions && head.max_forwards == 0U) return;
  if (!written) found("an accepted head cannot be written", raw);
  wire.resize(written.size);
  if (const std::string problem = unsound_request(wire, head); !problem.empty()) found(problem.c_str(), wire);
  Limits wide;
  wide.max_headers = 200;
  wide.max_head_bytes = 64 * 1024;
  wide.max_line_bytes = 64 * 1024;
  RequestParser again(wide);
  if (again.feed(wire).event != Event::kHead) found("the endpoint would refuse what we write", wire);
  if (again.head().path_and_query != head.path_and_query) found("the target has changed", wire);
  if (again.head().keep_alive != true || again.head().upgrade != head.upgrade)
    found("the connection has changed", wire);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view raw(reinterpret_cast<const char*>(data) + 1, size - 1);
  replay_both_ways(raw, data[0], [](std::string_view bytes, const auto& cuts) { return replay_request(bytes, cuts); });
  RequestParser parser(default_limits());
  if (parser.feed(raw).event == Event::kHead) check_forwarding(parser.head(), raw);
  return 0;
}
