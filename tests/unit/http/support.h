#pragma once
// What the tests of http/ share: feed bytes in pieces, and write down what came of it.

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "http/parser.h"

namespace weir::http {

/// Everything that can be observed of a byte stream. Two ways of cutting one stream must give equal outcomes.
struct Outcome {
  struct Message {
    std::string head;  ///< to_text()
    std::string body;
    bool complete = false;
    bool operator==(const Message&) const = default;
  };
  std::vector<Message> messages;
  Fault fault = Fault::kNone;
  unsigned status = 0;
  /// The stream ended within a message, without a fault before.
  bool incomplete = false;
  /// Body bytes that arrived before the fault.
  bool operator==(const Outcome&) const = default;
  [[nodiscard]] bool refused() const { return fault != Fault::kNone; }
};

inline const Limits& default_limits() {
  static const Limits limits;
  return limits;
}

namespace detail {

/// Feeds one piece to its end; false once the parser has failed, or a message before an upgrade has ended.
template <class Parser>
bool feed_piece(Parser& parser, std::string_view piece, Outcome& outcome) {
  for (;;) {
    const ParseStep step = parser.feed(piece);
    piece.remove_prefix(step.consumed);
    switch (step.event) {
      case Event::kNeedMore:
        return true;
      case Event::kHead:
        outcome.messages.push_back({to_text(parser.head()), "", false});
        break;
      case Event::kBody:
        outcome.messages.back().body.append(step.body);
        break;
      case Event::kMessageComplete:
        outcome.messages.back().complete = true;
        if constexpr (std::is_same_v<Parser, RequestParser>) {
          if (!parser.head().upgrade.empty()) return false;  // what follows is held until the endpoint has answered
        }
        parser.next_message();
        if (piece.empty()) return true;
        break;
      case Event::kError:
        outcome.fault = parser.fault();
        outcome.status = parser.fault_status();
        return false;
    }
  }
}

}  // namespace detail

/// Feeds `raw` cut at each of `cuts` (ascending), then the end of input.
template <class Parser>
Outcome replay(Parser& parser, std::string_view raw, const std::vector<std::size_t>& cuts = {}) {
  Outcome outcome;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t to = i < cuts.size() ? cuts[i] : raw.size();
    // A copy of the very size, so that a read beyond the piece is one that the sanitizer sees.
    const std::string piece(raw.substr(from, to - from));
    if (!detail::feed_piece(parser, piece, outcome)) return outcome;
    from = to;
  }
  const ParseStep end = parser.finish();
  if (end.event == Event::kMessageComplete) outcome.messages.back().complete = true;
  outcome.incomplete = end.event == Event::kError;
  return outcome;
}

inline Outcome replay_request(std::string_view raw, const std::vector<std::size_t>& cuts = {},
                              const Limits& limits = default_limits()) {
  RequestParser parser(limits);
  return replay(parser, raw, cuts);
}

inline Outcome replay_response(std::string_view raw, const std::vector<std::size_t>& cuts = {},
                               Method method = Method::kGet, std::string_view upgrade = {},
                               const Limits& limits = default_limits()) {
  ResponseParser parser(limits);
  parser.expect(method, upgrade);
  return replay(parser, raw, cuts);
}

inline std::vector<std::size_t> every_byte(std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i < size; ++i) cuts.push_back(i);
  return cuts;
}

/// Replays `raw` whole, byte by byte, and in two pieces cut at every place; the outcome must be one.
/// Returns an empty text if it is, else where it is not.
template <class Replay>
std::string first_disagreement(std::string_view raw, Replay&& once) {
  const Outcome whole = once(raw, std::vector<std::size_t>{});
  if (once(raw, every_byte(raw.size())) != whole) return "byte by byte";
  // Long streams: every cut in the first and last 2 KiB is enough to hit each kind of place.
  constexpr std::size_t kEdge = 2048;
  for (std::size_t cut = 1; cut < raw.size(); ++cut) {
    if (cut > kEdge && cut + kEdge < raw.size()) continue;
    if (once(raw, std::vector<std::size_t>{cut}) != whole) return "cut at " + std::to_string(cut);
  }
  return "";
}

}  // namespace weir::http
