#include "cli/weight_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace weir::cli {
namespace {

/// One replacement of bytes.
struct Change {
  size_t at = 0, length = 0;
  std::string text;
};

Error cannot(config::Position at, std::string_view why) {
  return Error{fmt::format("line {}, column {}: {}", at.line, at.column, why)};
}

/// Byte of a place in the text; nothing when the text has no such place.
std::optional<size_t> offset_of(std::string_view text, config::Position at) {
  if (at.line == 0 || at.column == 0) return std::nullopt;
  size_t begin = 0;
  for (uint32_t line = 1; line < at.line; ++line) {
    begin = text.find('\n', begin);
    if (begin == std::string_view::npos) return std::nullopt;
    ++begin;
  }
  const size_t offset = begin + at.column - 1;
  const size_t end = std::min(text.find('\n', begin), text.size());
  return offset < end ? std::optional(offset) : std::nullopt;
}

Result<Change> replace_number(std::string_view text, const WeightEdit& edit) {
  const auto at = offset_of(text, edit.weight);
  if (!at) return cannot(edit.weight, "the weight is not where it was read");
  const char quote = text[*at] == '"' || text[*at] == '\'' ? text[*at] : '\0';
  const size_t first = *at + (quote != '\0' ? 1 : 0);
  const size_t end = std::min(text.find_first_not_of("0123456789+_xXoabcdefABCDEF.", first), text.size());
  if (end == first) return cannot(edit.weight, "the weight is not a plain number (an alias?): change it by hand");
  if (quote != '\0' && (end == text.size() || text[end] != quote))
    return cannot(edit.weight, "the weight is not a plain number: change it by hand");
  return Change{first, end - first, std::to_string(edit.value)};
}

struct SourceLine {
  size_t begin = 0, end = 0;  // end: of the text, before the line end
  size_t indent = 0;
  bool content = false;
};

SourceLine line_at(std::string_view text, size_t begin) {
  SourceLine line{begin, std::min(text.find('\n', begin), text.size()), 0, false};
  const size_t first = std::min(text.find_first_not_of(' ', begin), line.end);
  line.indent = first - begin;
  line.content = first < line.end && text[first] != '#' && text[first] != '\r';
  return line;
}

/// "- {destination: {...}}" and JSON: in front of what the braces hold.
Change insert_in_flow(std::string_view text, size_t brace, uint32_t value) {
  const size_t next = text.find_first_not_of(" \t\r\n", brace + 1);
  const bool quoted = next != std::string_view::npos && text[next] == '"';
  const bool empty = next != std::string_view::npos && text[next] == '}';
  return {brace + 1, 0, fmt::format("{}: {}{}", quoted ? "\"weight\"" : "weight", value, empty ? "" : ", ")};
}

/// A line of its own after the entry's last one, indented as the entry's keys are.
Change insert_in_block(std::string_view text, size_t at, uint32_t value) {
  const size_t start = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  const size_t indent = at - start;
  SourceLine last = line_at(text, start);
  for (size_t next = last.end; next < text.size();) {
    const SourceLine line = line_at(text, next + 1);
    if (line.content && line.indent < indent) break;
    if (line.content) last = line;
    next = line.end;
  }
  const bool carriage_return = last.end > last.begin && text[last.end - 1] == '\r';
  const size_t end = last.end - (carriage_return ? 1 : 0);
  return {end, 0, fmt::format("{}{}weight: {}", carriage_return ? "\r\n" : "\n", std::string(indent, ' '), value)};
}

Result<Change> add_number(std::string_view text, const WeightEdit& edit) {
  const auto at = offset_of(text, edit.entry);
  if (!at) return cannot(edit.entry, "the destination is not where it was read");
  if (text[*at] == '*' || text[*at] == '&' || text[*at] == '!')
    return cannot(edit.entry, "the destination is an alias, an anchor or tagged: add its weight by hand");
  return text[*at] == '{' ? insert_in_flow(text, *at, edit.value) : insert_in_block(text, *at, edit.value);
}

}  // namespace

Result<std::string> edit_weights(std::string_view text, std::vector<WeightEdit> edits) {
  std::vector<Change> changes;
  for (const auto& edit : edits) {
    auto change = edit.weight.line > 0 ? replace_number(text, edit) : add_number(text, edit);
    if (!change) return std::move(change).error();
    changes.push_back(std::move(*change));
  }
  // From the end, so that the places before keep theirs.
  std::ranges::sort(changes, std::greater<>{}, &Change::at);
  std::string out(text);
  for (size_t i = 0; i < changes.size(); ++i) {
    if (i > 0 && changes[i].at == changes[i - 1].at)
      return Error{"two destinations share one place (an alias?): change the weights by hand"};
    out.replace(changes[i].at, changes[i].length, changes[i].text);
  }
  return out;
}

}  // namespace weir::cli
