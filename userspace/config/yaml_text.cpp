#include "config/yaml_text.h"

#include <algorithm>

#include "config/codes.h"

namespace weir::config::yaml {
namespace {

/// The length of the UTF-8 sequence at `text`'s start, or 0 where there is none (overlong, surrogate, cut short).
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](size_t from, size_t to) {
    for (size_t i = from; i <= to; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return false;
    }
    return true;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1, 1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
    return continues(1, 2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) return 0;
    return continues(1, 3) ? 4 : 0;
  }
  return 0;
}

Position position_of(std::string_view text, size_t offset) {
  const auto line =
      static_cast<uint32_t>(1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(offset), '\n'));
  const size_t start = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  return {line, static_cast<uint32_t>(start == std::string_view::npos ? offset + 1 : offset - start)};
}

std::string hex(unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

bool is_marker(std::string_view line) {
  return line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

/// True for a line that can stand before a document without belonging to one: blank or a comment.
bool is_blank(std::string_view line) {
  const size_t start = line.find_first_not_of(" \t\r");
  return start == std::string_view::npos || line[start] == '#';
}

}  // namespace

std::optional<Problem> check_encoding(std::string_view& text) {
  if (text.size() > kMaxFileBytes) {
    return Problem{{},
                   code::kLimit,
                   "the file has " + std::to_string(text.size()) + " bytes, the limit is 16 MiB",
                   "split it into several files"};
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const bool utf16 = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") ||
                     (text.size() >= 2 && (text[0] == '\0') != (text[1] == '\0'));
  if (utf16) return Problem{{1, 1}, code::kUnreadable, "the file is UTF-16 or UTF-32 text", "save it as UTF-8"};
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte < 0x7f) {
      ++i;
      continue;
    }
    if (byte == '\n' || byte == '\t' || byte == '\r') {
      ++i;
      continue;
    }
    if (byte < 0x20 || byte == 0x7f) {
      return Problem{
          position_of(text, i), code::kUnreadable, "control byte " + hex(byte) + " is not allowed in YAML",
          byte == 0 ? "is this a binary file?" : "write it as an escape in double quotes, such as \"\\x07\""};
    }
    const size_t length = sequence_length(text.substr(i, 4));
    if (length == 0) {
      return Problem{position_of(text, i), code::kUnreadable, "byte " + hex(byte) + " is not UTF-8",
                     "save the file as UTF-8"};
    }
    i += length;
  }
  return std::nullopt;
}

std::vector<Piece> split_documents(std::string_view text) {
  std::vector<Piece> pieces;
  size_t start = 0;
  uint32_t start_line = 1;
  bool content = false;    // the piece so far holds more than blank lines and comments
  bool directive = false;  // ... and more than directives
  uint32_t line_number = 1;
  for (size_t at = 0; at < text.size(); ++line_number) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (is_marker(line) && (content || !directive)) {
      if (content) pieces.push_back({text.substr(start, at - start), start_line});
      start = at;
      start_line = line_number;
      content = true;
      directive = false;
    } else if (is_marker(line)) {
      content = true;
    } else if (!content && line.starts_with('%')) {
      directive = true;
    } else if (!is_blank(line)) {
      content = true;
    }
    at = end + 1;
  }
  if (content || directive) pieces.push_back({text.substr(start), start_line});
  return pieces;
}

std::optional<Problem> check_size(const Piece& piece) {
  if (piece.text.size() <= kMaxDocumentBytes) return std::nullopt;
  const bool list = piece.text.find("kind: List") != std::string_view::npos ||
                    piece.text.find("\"kind\": \"List\"") != std::string_view::npos ||
                    piece.text.find("\"kind\":\"List\"") != std::string_view::npos;
  if (!list) {
    return Problem{{piece.line, 1},
                   code::kLimit,
                   "the document has " + std::to_string(piece.text.size()) + " bytes, the limit is 1 MiB",
                   "only a document of kind List may be larger"};
  }
  const auto tokens = std::count_if(piece.text.begin(), piece.text.end(),
                                    [](char c) { return c == '[' || c == '{' || c == ',' || c == ':'; });
  if (static_cast<size_t>(tokens) > kMaxFlowTokens) {
    return Problem{
        {piece.line, 1}, code::kLimit, "the list has too many values for one document", "split it into several files"};
  }
  return std::nullopt;
}

}  // namespace weir::config::yaml
