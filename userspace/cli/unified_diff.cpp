#include "cli/unified_diff.h"

#include <algorithm>
#include <cstddef>
#include <dtl/dtl.hpp>
#include <vector>

namespace weir::cli {
namespace {

constexpr size_t kContext = 3;
/// Beyond so many pairs of lines, what differs is shown as one block.
constexpr size_t kMostCells = 16'000'000;

struct Line {
  char sign;  // ' ', '-', '+'
  std::string_view text;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

using Lines = std::vector<std::string_view>;

/// Of a[from, a_end) and b[from, b_end).
void compare_middle(const Lines& a, const Lines& b, size_t from, size_t a_end, size_t b_end, std::vector<Line>& out) {
  if ((a_end - from) * (b_end - from) > kMostCells) {
    for (size_t i = from; i < a_end; ++i) out.push_back({'-', a[i]});
    for (size_t j = from; j < b_end; ++j) out.push_back({'+', b[j]});
    return;
  }
  const auto part = [from](const Lines& lines, size_t end) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(from), lines.begin() + static_cast<std::ptrdiff_t>(end));
  };
  dtl::Diff<std::string_view, Lines> diff(part(a, a_end), part(b, b_end));
  diff.compose();
  for (const auto& [line, info] : diff.getSes().getSequence())
    out.push_back({info.type == dtl::SES_ADD ? '+' : info.type == dtl::SES_DELETE ? '-' : ' ', line});
}

std::vector<Line> compare(const Lines& a, const Lines& b) {
  size_t head = 0, tail = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::vector<Line> out;
  for (size_t i = 0; i < head; ++i) out.push_back({' ', a[i]});
  compare_middle(a, b, head, a.size() - tail, b.size() - tail, out);
  for (size_t i = a.size() - tail; i < a.size(); ++i) out.push_back({' ', a[i]});
  return out;
}

std::string hunk(const std::vector<Line>& lines, size_t begin, size_t end, size_t a_line, size_t b_line) {
  size_t a_count = 0, b_count = 0;
  std::string body;
  for (size_t i = begin; i < end; ++i) {
    a_count += lines[i].sign != '+';
    b_count += lines[i].sign != '-';
    body += lines[i].sign;
    body += lines[i].text;
    body += '\n';
  }
  const auto range = [](size_t line, size_t count) {
    return std::to_string(count == 0 ? line - 1 : line) + (count == 1 ? "" : "," + std::to_string(count));
  };
  return "@@ -" + range(a_line, a_count) + " +" + range(b_line, b_count) + " @@\n" + body;
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, std::string_view before_name,
                         std::string_view after_name) {
  if (before == after) return {};
  const auto lines = compare(lines_of(before), lines_of(after));
  std::string out = "--- " + std::string(before_name) + "\n+++ " + std::string(after_name) + "\n";
  size_t a_line = 1, b_line = 1, done = 0;
  const auto pass = [&](size_t to) {
    for (; done < to; ++done) {
      a_line += lines[done].sign != '+';
      b_line += lines[done].sign != '-';
    }
  };
  for (size_t i = 0; i < lines.size();) {
    if (lines[i].sign == ' ') {
      ++i;
      continue;
    }
    // A hunk goes on as long as the next change is within two contexts.
    size_t last = i;
    for (size_t j = i; j < lines.size() && j <= last + 2 * kContext + 1; ++j)
      if (lines[j].sign != ' ') last = j;
    const size_t begin = std::max(i >= kContext ? i - kContext : 0, done);
    const size_t end = std::min(last + 1 + kContext, lines.size());
    pass(begin);
    out += hunk(lines, begin, end, a_line, b_line);
    pass(end);
    i = end;
  }
  return out;
}

}  // namespace weir::cli
