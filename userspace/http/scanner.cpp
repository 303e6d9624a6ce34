#include "http/scanner.h"

#include <algorithm>
#include <cstring>

namespace weir::http {

void LineScanner::start(const Bounds& bounds, bool has_first_line) {
  *this = LineScanner();
  bounds_ = bounds;
  first_ = has_first_line;
}

LineScanner::Scan LineScanner::scan(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size()) {
    const Step step = scan_line(input, at);
    if (step.done) return step.result;
    at = step.result.size;
  }
  return {Stop::kInput, input.size()};
}

/// One line, or as much of it as there is, from `at`; `result.size` is where it stopped.
LineScanner::Step LineScanner::scan_line(std::string_view input, std::size_t at) {
  if (line_ == 0 && !first_ && (input[at] == ' ' || input[at] == '\t')) return {true, {Stop::kFault, at, Fault::kFold}};
  const std::uint32_t line_bound = (first_ ? bounds_.first_line : bounds_.line) + 2;
  const std::uint32_t bound = std::min(line_bound - line_, bounds_.section - section_ - line_);
  const std::string_view window = input.substr(at, bound);
  const void* found = window.empty() ? nullptr : std::memchr(window.data(), '\n', window.size());
  if (found == nullptr) {
    line_ += static_cast<std::uint32_t>(window.size());
    if (!window.empty()) ends_cr_ = window.back() == '\r';
    at += window.size();
    if (at == input.size()) return {false, {Stop::kInput, at}};
    const Fault too_long = first_ ? bounds_.first_line_too_long : bounds_.line_too_long;
    return {true, {Stop::kFault, at, line_ == line_bound ? too_long : bounds_.section_too_large}};
  }
  const auto size = static_cast<std::size_t>(static_cast<const char*>(found) - window.data()) + 1;
  const bool crlf = size >= 2 ? window[size - 2] == '\r' : ends_cr_ && line_ != 0;
  if (!crlf) return {true, {Stop::kFault, at + size - 1, Fault::kLineEnd}};
  line_ += static_cast<std::uint32_t>(size);
  const bool empty = line_ == 2;
  const bool was_first = first_;
  if (first_) first_line_size_ = line_ - 2;
  section_ += line_;
  line_ = 0;
  first_ = ends_cr_ = false;
  if (empty) return {true, {Stop::kEnd, at + size}};
  if (was_first) return {true, {Stop::kFirstLine, at + size}};
  return {false, {Stop::kInput, at + size}};
}

void ChunkLineScanner::start_message(const Bounds& bounds) {
  *this = ChunkLineScanner();
  bounds_ = bounds;
}

void ChunkLineScanner::start_line(bool after_data) {
  extension_ = digits_ = 0;
  in_extension_ = last_cr_ = false;
  data_end_ = after_data;
}

ChunkLineScanner::Scan ChunkLineScanner::scan(std::string_view input) {
  constexpr std::uint32_t kMaxDigits = 16;
  for (std::size_t at = 0; at < input.size(); ++at) {
    const char c = input[at];
    if (c == '\n') {
      if (!last_cr_) return {false, at, Fault::kLineEnd};
      last_cr_ = false;
      if (!data_end_) return {true, at + 1};
      data_end_ = false;
      continue;
    }
    if (last_cr_) return {false, at, Fault::kLineEnd};
    last_cr_ = c == '\r';
    if (last_cr_) continue;
    if (data_end_) return {false, at, Fault::kChunk};
    if (!in_extension_) {
      in_extension_ = c == ';';
      if (!in_extension_ && ++digits_ > kMaxDigits) return {false, at, Fault::kChunk};
      continue;
    }
    if (++extension_ > bounds_.chunk_extension || ++message_extension_ > bounds_.message_extension) {
      return {false, at, Fault::kChunkExtension};
    }
  }
  return {false, input.size()};
}

}  // namespace weir::http
