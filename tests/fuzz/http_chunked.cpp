// Chunked bodies: parse, cut, and write the payload again in chunks of our own.
#include "http/body_writer.h"
#include "tests/fuzz/http_fuzz.h"

using namespace weir::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string raw = head + std::string(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome outcome = replay_both_ways(
      raw, data[0], [](std::string_view bytes, const auto& cuts) { return replay_request(bytes, cuts); });
  if (outcome.messages.empty()) found("a sound head was refused", raw);
  const std::string& payload = outcome.messages[0].body;
  std::string wire = head;
  BodyWriter body(Framing::kChunked, 0);
  const std::size_t step = data[0] % 13 + 1U;
  for (std::size_t at = 0; at < payload.size(); at += step) {
    const std::string_view piece = std::string_view(payload).substr(at, step);
    const BodyFrame frame = body.frame(piece.size());
    if (!frame) found("a chunk cannot be written", payload);
    wire.append(frame.before).append(piece).append(frame.after);
  }
  std::string out(BodyWriter::kMaxOverhead, '?');
  const Written end = body.finish(out);
  wire.append(out, 0, end.size);
  Limits patient;
  patient.max_chunk_overhead_bytes = UINT64_MAX;
  const Outcome again = replay_request(wire, {}, patient);
  if (again.messages.size() != 1 || again.messages[0].body != payload || !again.messages[0].complete) {
    found("the payload has changed", wire);
  }
  return 0;
}
