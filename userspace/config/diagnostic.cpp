#include "config/diagnostic.h"

#include <algorithm>

namespace weir::config {
namespace {

std::string_view to_word(Level level) {
  switch (level) {
    case Level::kInfo:
      return "Info";
    case Level::kWarning:
      return "Warning";
    case Level::kError:
      return "Error";
  }
  return "Error";
}

/// Longest source line that is shown; a longer one (JSON in one line) is cut around the caret.
constexpr size_t kShownColumns = 160;

/// A tab stays a tab, so that the caret stands below the same place; control bytes become '?'.
std::string printable(std::string_view text) {
  std::string shown(text);
  for (char& c : shown) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) c = '?';
  }
  return shown;
}

/// Spaces that are as wide as `text` on a terminal: one for each character (not byte), tabs kept.
std::string padding(std::string_view text) {
  std::string spaces;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) continue;  // a continuation byte of UTF-8 has no width
    spaces += c == '\t' ? '\t' : ' ';
  }
  return spaces;
}

}  // namespace

bool has_errors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& diagnostic) { return diagnostic.level == Level::kError; });
}

std::string to_text(const Diagnostic& diagnostic) {
  std::string text = diagnostic.file;
  if (diagnostic.at.line > 0) {
    text += ":" + std::to_string(diagnostic.at.line);
    if (diagnostic.at.column > 0) text += ":" + std::to_string(diagnostic.at.column);
  }
  if (!text.empty()) text += ": ";
  text += to_word(diagnostic.level);
  if (!diagnostic.code.empty()) text += " [" + diagnostic.code + "]";
  if (!diagnostic.object.empty()) text += " (" + diagnostic.object + ")";
  return printable(text + " " + diagnostic.message);
}

std::string to_text_with_source(const Diagnostic& diagnostic, std::string_view source_line) {
  std::string text = to_text(diagnostic) + "\n";
  while (!source_line.empty() && (source_line.back() == '\n' || source_line.back() == '\r'))
    source_line.remove_suffix(1);
  if (!source_line.empty() && diagnostic.at.column > 0) {
    size_t column = std::min<size_t>(diagnostic.at.column - 1, source_line.size());
    if (source_line.size() > kShownColumns) {
      const size_t start = column > kShownColumns / 2 ? column - kShownColumns / 2 : 0;
      source_line = source_line.substr(start, kShownColumns);
      column -= start;
    }
    text += "  " + printable(source_line) + "\n  " + padding(source_line.substr(0, column)) + "^\n";
  }
  if (!diagnostic.hint.empty()) text += "  hint: " + printable(diagnostic.hint) + "\n";
  return text;
}

}  // namespace weir::config
