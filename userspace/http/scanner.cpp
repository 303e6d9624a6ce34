#include "http/scanner.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>

#include "http/field.h"

namespace weir::http {
namespace {

/// Offset of the first LF, or the size. Lines are short: here, a call of memchr() costs more than what it does.
std::size_t find_line_feed(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSE2__
  const __m128i line_feed = _mm_set1_epi8('\n');
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, line_feed)));
    if (found != 0) return at + static_cast<unsigned>(std::countr_zero(found));
  }
#endif
  while (at < text.size() && text[at] != '\n') ++at;
  return at;
}

}  // namespace

void LineScanner::start(const Bounds& bounds, bool has_first_line) {
  *this = LineScanner();
  bounds_ = bounds;
  first_ = has_first_line;
}

LineScanner::Scan LineScanner::scan(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size()) {
    if (skip_whole_lines(input, at)) return {Stop::kEnd, at};
    if (at == input.size()) break;
    const Step step = scan_line(input, at);
    if (step.done) return step.result;
    at = step.result.size;
  }
  return {Stop::kInput, input.size()};
}

/// Takes sound lines that are there whole, which is nearly all of them; true at the empty one. Anything else is left to
/// scan_line().
bool LineScanner::skip_whole_lines(std::string_view input, std::size_t& at) {
  if (line_ != 0 || first_) return false;
  while (at < input.size()) {
    const std::string_view window = input.substr(at, std::min(bounds_.line + 2, bounds_.section - section_));
    const std::size_t line_feed = find_line_feed(window);
    if (line_feed == window.size() || line_feed == 0 || window[line_feed - 1] != '\r') return false;
    if (window[0] == ' ' || window[0] == '\t') return false;
    section_ += static_cast<std::uint32_t>(line_feed + 1);
    at += line_feed + 1;
    if (line_feed == 1) return true;
  }
  return false;
}

/// One line, or as much of it as there is, from `at`; `result.size` is where it stopped.
LineScanner::Step LineScanner::scan_line(std::string_view input, std::size_t at) {
  if (line_ == 0 && !first_ && (input[at] == ' ' || input[at] == '\t')) return {true, {Stop::kFault, at, Fault::kFold}};
  const std::uint32_t line_bound = (first_ ? bounds_.first_line : bounds_.line) + 2;
  const std::uint32_t bound = std::min(line_bound - line_, bounds_.section - section_ - line_);
  const std::string_view window = input.substr(at, bound);
  const std::size_t line_feed = find_line_feed(window);
  if (line_feed == window.size()) {
    if (first_) keep_tail(window);
    line_ += static_cast<std::uint32_t>(window.size());
    if (!window.empty()) ends_cr_ = window.back() == '\r';
    at += window.size();
    if (at == input.size()) return {false, {Stop::kInput, at}};
    const Fault too_long = first_ ? bounds_.first_line_too_long : bounds_.line_too_long;
    return {true, {Stop::kFault, at, line_ == line_bound ? too_long : bounds_.section_too_large}};
  }
  const std::size_t size = line_feed + 1;
  const bool crlf = size >= 2 ? window[size - 2] == '\r' : ends_cr_ && line_ != 0;
  if (!crlf) return {true, {Stop::kFault, at + size - 1, Fault::kLineEnd}};
  line_ += static_cast<std::uint32_t>(size);
  const bool empty = line_ == 2;
  const bool was_first = first_;
  if (first_) {
    first_line_size_ = line_ - 2;
    keep_tail(window.substr(0, size));
  }
  section_ += line_;
  line_ = 0;
  first_ = ends_cr_ = false;
  if (empty) return {true, {Stop::kEnd, at + size}};
  if (was_first) return {true, {Stop::kFirstLine, at + size}};
  return {false, {Stop::kInput, at + size}};
}

void LineScanner::keep_tail(std::string_view piece) {
  const std::size_t added = std::min(piece.size(), kTail);
  std::copy(tail_.begin() + static_cast<std::ptrdiff_t>(added), tail_.end(), tail_.begin());
  std::copy(piece.end() - static_cast<std::ptrdiff_t>(added), piece.end(),
            tail_.end() - static_cast<std::ptrdiff_t>(added));
}

void ChunkLineScanner::start_message(const Bounds& bounds) {
  *this = ChunkLineScanner();
  bounds_ = bounds;
}

void ChunkLineScanner::start_line(bool after_data) {
  extension_ = digits_ = 0;
  last_cr_ = false;
  part_ = after_data ? Part::kDataEnd : Part::kSize;
}

ChunkLineScanner::Scan ChunkLineScanner::scan(std::string_view input) {
  Scan scan{false, 0, 0, 0};
  for (std::size_t at = 0; at < input.size(); ++at) {
    const char c = input[at];
    const bool was_cr = last_cr_;
    last_cr_ = c == '\r';
    Fault fault = Fault::kNone;
    if (was_cr != (c == '\n')) {
      fault = Fault::kLineEnd;
    } else if (c == '\r') {
      fault = may_end() ? Fault::kNone : Fault::kChunk;
    } else if (c == '\n') {
      if (part_ != Part::kDataEnd) return {true, at + 1, scan.skip_begin, scan.skip_end};
      part_ = Part::kSize;
    } else {
      fault = take(c);
      if (part_ > Part::kSize) {
        if (scan.skip_end == 0) scan.skip_begin = at;
        scan.skip_end = at + 1;
      }
    }
    scan.size = at;
    if (fault != Fault::kNone) {
      scan.fault = fault;
      scan.skip_begin = std::min(scan.skip_begin, at);
      scan.skip_end = std::min(scan.skip_end, at);
      return scan;
    }
  }
  scan.size = input.size();
  return scan;
}

bool ChunkLineScanner::may_end() const {
  return part_ == Part::kDataEnd || part_ == Part::kSize || part_ == Part::kName || part_ == Part::kToken ||
         part_ == Part::kQuotedEnd;
}

Fault ChunkLineScanner::take(char c) {
  if (part_ == Part::kDataEnd) return Fault::kChunk;
  if (part_ == Part::kSize) return take_size(c);
  if (++extension_ > bounds_.chunk_extension || ++message_extension_ > bounds_.message_extension) {
    return Fault::kChunkExtension;
  }
  return take_extension(c);
}

Fault ChunkLineScanner::take_size(char c) {
  constexpr std::uint32_t kMaxDigits = 16;
  if (c == ';') {
    part_ = Part::kNameStart;
    return digits_ == 0 ? Fault::kChunk : Fault::kNone;
  }
  return ++digits_ > kMaxDigits ? Fault::kChunk : Fault::kNone;  // llhttp knows what a digit is
}

Fault ChunkLineScanner::take_extension(char c) {
  const bool blank = c == ' ' || c == '\t';
  const bool token = is_token({&c, 1});
  switch (part_) {
    case Part::kNameStart:
      if (token) part_ = Part::kName;
      return token || blank ? Fault::kNone : Fault::kChunk;
    case Part::kValueStart:
      if (token) part_ = Part::kToken;
      if (c == '"') part_ = Part::kQuoted;
      return token || blank || c == '"' ? Fault::kNone : Fault::kChunk;
    case Part::kQuoted:
      if (c == '"') part_ = Part::kQuotedEnd;
      if (c == '\\') part_ = Part::kEscape;
      return is_field_value({&c, 1}) ? Fault::kNone : Fault::kChunk;
    case Part::kEscape:
      part_ = Part::kQuoted;
      return is_field_value({&c, 1}) ? Fault::kNone : Fault::kChunk;
    default:
      break;
  }
  const bool in_name = part_ == Part::kName || part_ == Part::kAfterName;
  if (c == ';') {
    part_ = Part::kNameStart;
  } else if (c == '=' && in_name) {
    part_ = Part::kValueStart;
  } else if (blank) {
    part_ = in_name ? Part::kAfterName : Part::kAfterValue;
  } else if (!token || (part_ != Part::kName && part_ != Part::kToken)) {
    return Fault::kChunk;
  }
  return Fault::kNone;
}

}  // namespace weir::http
