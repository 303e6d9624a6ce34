#pragma once
// What is wrong with the user's files, for a reader: where, what, what would be right.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

/// A place in a file. Lines and columns count from 1; 0 means unknown. Columns count bytes.
struct Position {
  uint32_t line = 0;
  uint32_t column = 0;
  auto operator<=>(const Position&) const = default;
};

enum class Level { kInfo, kWarning, kError };

/// One finding. Codes: IST#### where Istio has one for it (reference: istioctl analyze), WEIR#### for our own refusals.
struct Diagnostic {
  Level level = Level::kError;
  std::string code;     // "IST0101"
  std::string message;  // without file, level or code
  std::string hint;     // what would be right; may be empty
  std::string file;     // as given by the user; empty when there is none
  Position at;
  /// "VirtualService default/reviews"; empty when no object could be read.
  std::string object;
};

using Diagnostics = std::vector<Diagnostic>;

[[nodiscard]] bool has_errors(const Diagnostics& diagnostics);

/// "reviews-vs.yaml:14:11: Error [IST0101] (VirtualService default/reviews) message" in one line, no colour.
std::string to_text(const Diagnostic& diagnostic);

/// The same, then the source line, a line with a caret, and the hint. `source_line` empty: no caret.
std::string to_text_with_source(const Diagnostic& diagnostic, std::string_view source_line);

}  // namespace weir::config
