#pragma once
// One message between agent and proxy, and how it lies in a datagram: "WPX1", the length of what follows (32 bit,
// little endian), then JSON: {"type", "id", "fds", "blob", "body"}. Pure. The reader takes any bytes: whoever sent them
// may have been taken over.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::proxy_process {

using Json = nlohmann::json;

/// Of one datagram, head included. What may be longer goes beside it, in a sealed memory file.
inline constexpr size_t kMaxMessageBytes = 32768;
/// Descriptors beside one message, the memory file not counted.
inline constexpr size_t kMaxMessageFds = 128;
/// Of any JSON that is read here.
inline constexpr int kMaxDepth = 16;

struct Message {
  /// Lower-case letters and '_', 1..32.
  std::string type;
  /// A reply has that of its request.
  uint64_t id = 0;
  /// An object; null is written as an empty one.
  Json body = Json::object();
};

/// What the sender says lies beside the message; the receiver holds it against what came.
struct Enclosed {
  size_t fds = 0;
  uint64_t blob_bytes = 0;  // 0: no memory file
};

/// An error when it would be longer than kMaxMessageBytes.
Result<std::string> to_bytes(const Message& message, const Enclosed& enclosed);

struct ReadMessage {
  Message message;
  Enclosed enclosed;
};
Result<ReadMessage> read_message(std::string_view bytes);

/// Any JSON text no deeper than kMaxDepth; an error otherwise. Never throws.
Result<Json> read_json(std::string_view text);

}  // namespace weir::proxy_process
