#include "proxy_process/message.h"

#include <algorithm>
#include <array>

#include "proxy_process/fields.h"

namespace weir::proxy_process {
namespace {

constexpr std::string_view kMagic = "WPX1";
constexpr size_t kHeadBytes = 8;
constexpr size_t kMaxTypeBytes = 32;

std::string length_bytes(size_t length) {
  std::string bytes(4, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(length >> (8 * i) & 0xff);
  return bytes;
}

size_t length_of(std::string_view bytes) {
  size_t length = 0;
  for (size_t i = 0; i < 4; ++i) length |= size_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return length;
}

bool is_type(std::string_view type) {
  return !type.empty() && type.size() <= kMaxTypeBytes &&
         std::ranges::all_of(type, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

Result<std::string> to_bytes(const Message& message, const Enclosed& enclosed) {
  const Json json = {{"type", message.type},
                     {"id", message.id},
                     {"fds", enclosed.fds},
                     {"blob", enclosed.blob_bytes},
                     {"body", message.body.is_null() ? Json::object() : message.body}};
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (kHeadBytes + text.size() > kMaxMessageBytes)
    return Error{"message \"" + message.type + "\" of " + std::to_string(text.size()) + " bytes is too long"};
  return std::string(kMagic) + length_bytes(text.size()) + text;
}

Result<Json> read_json(std::string_view text) {
  bool too_deep = false;
  const auto bounded = [&too_deep](int depth, Json::parse_event_t event, const Json&) {
    const bool opens = event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && depth >= kMaxDepth) too_deep = true;
    return !too_deep;  // what is left out is not kept in memory either
  };
  Json json = Json::parse(text, bounded, false);
  if (too_deep) return Error{"JSON is nested too deep"};
  if (json.is_discarded()) return Error{"not JSON"};
  return json;
}

Result<ReadMessage> read_message(std::string_view bytes) {
  if (bytes.size() > kMaxMessageBytes) return Error{"message is too long"};
  if (bytes.size() < kHeadBytes || !bytes.starts_with(kMagic)) return Error{"not a message of this protocol"};
  if (length_of(bytes.substr(kMagic.size())) != bytes.size() - kHeadBytes) return Error{"message is cut off"};
  auto json = read_json(bytes.substr(kHeadBytes));
  if (!json) return std::move(json).error().context("message");
  Fields fields(*json);
  ReadMessage read;
  read.message.type = fields.text("type", kMaxTypeBytes);
  read.message.id = fields.number("id");
  read.enclosed.fds = fields.number("fds", kMaxMessageFds);
  read.enclosed.blob_bytes = fields.number("blob");
  read.message.body = fields.object("body");
  if (auto problem = fields.finish(); !problem) return std::move(problem).error().context("message");
  if (!is_type(read.message.type)) return Error{"message has no type"};
  return read;
}

}  // namespace weir::proxy_process
