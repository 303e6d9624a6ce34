// Response heads, to each kind of request: parse, cut, write for a client of either version, read back.
#include "http/self_check.h"
#include "http/serializer.h"
#include "tests/fuzz/http_fuzz.h"

using namespace weir::http;

namespace {

void check_forwarding(const ResponseHead& head, Method method, Version client, std::string_view raw) {
  const ResponseWriteOptions options{
      .client_version = client, .request_method = method, .keep_alive = true, .via = "weir"};
  std::string wire(response_head_bound(head, options), '?');
  const Written written = write_response_head(head, options, wire);
  if (!written && head.status < 200 && client == Version::kHttp10) return;
  if (!written) found("an accepted head cannot be written", raw);
  wire.resize(written.size);
  if (const std::string problem = unsound_response(wire, head, options); !problem.empty()) found(problem.c_str(), wire);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Method method = (data[0] & 1) != 0 ? Method::kHead : Method::kGet;
  const char* upgrade = (data[0] & 2) != 0 ? "websocket" : "";
  const std::string_view raw(reinterpret_cast<const char*>(data) + 1, size - 1);
  replay_both_ways(raw, data[0] >> 2, [&](std::string_view bytes, const auto& cuts) {
    return replay_response(bytes, cuts, method, upgrade);
  });
  ResponseParser parser(default_limits());
  parser.expect(method, upgrade);
  if (parser.feed(raw).event != Event::kHead) return 0;
  check_forwarding(parser.head(), method, Version::kHttp11, raw);
  check_forwarding(parser.head(), method, Version::kHttp10, raw);
  return 0;
}
