#pragma once
// The second reader beside llhttp: finds line ends, and the size line of chunks, in the raw bytes and holds them to the
// limits. Parser and scanner must agree on every boundary; a message on which they do not is refused. It sees what
// llhttp does not report: blanks it skips, folded lines, the length of a line.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/fault.h"

namespace weir::http {

/// Lines of a head or of a trailer section.
class LineScanner {
 public:
  enum class Stop : std::uint8_t {
    kInput,      ///< All of the input is fine so far.
    kFirstLine,  ///< The first line has ended (heads only).
    kEnd,        ///< The empty line.
    kFault,
  };
  struct Scan {
    Stop stop;
    /// Bytes that may go to the parser: up to and with the line end, or those before the faulty byte.
    std::size_t size;
    Fault fault = Fault::kNone;
  };
  struct Bounds {
    std::uint32_t first_line;  ///< Without line end.
    std::uint32_t line;
    std::uint32_t section;  ///< With line ends.
    Fault first_line_too_long;
    Fault line_too_long;
    Fault section_too_large;
  };

  /// `has_first_line`: a head; otherwise a trailer section, in which the first line is like the others.
  void start(const Bounds& bounds, bool has_first_line);
  Scan scan(std::string_view input);
  /// Length of the first line without its line end, once it has ended.
  [[nodiscard]] std::uint32_t first_line_size() const { return first_line_size_; }
  /// The last 8 characters of the first line, once it has ended: of a request, protocol and version.
  [[nodiscard]] std::string_view first_line_tail() const { return {tail_.data(), kTail - 2}; }

 private:
  struct Step {
    bool done;
    Scan result;
  };
  bool skip_whole_lines(std::string_view input, std::size_t& at);
  Step scan_line(std::string_view input, std::size_t at);
  void keep_tail(std::string_view piece);

  static constexpr std::size_t kTail = 10;  // with the line end
  std::array<char, kTail> tail_{};
  Bounds bounds_{};
  std::uint32_t line_ = 0;     // bytes of the current line so far
  std::uint32_t section_ = 0;  // bytes of finished lines
  std::uint32_t first_line_size_ = 0;
  bool first_ = true;     // the current line is the first
  bool ends_cr_ = false;  // the last byte seen of the current line was CR
};

/// The line between chunks: the CR LF that ends the chunk before, the size, extensions, CR LF. Extensions are checked
/// here and then kept from the parser: nobody needs them, and versions of llhttp differ on them.
class ChunkLineScanner {
 public:
  struct Scan {
    bool complete;  ///< The line has ended.
    std::size_t size;
    /// [skip_begin, skip_end) of the input is extension: not for the parser.
    std::size_t skip_begin, skip_end;
    Fault fault = Fault::kNone;
  };
  struct Bounds {
    std::uint32_t chunk_extension;  ///< From the ';' on, which is not counted.
    std::uint32_t message_extension;
  };

  void start_message(const Bounds& bounds);
  /// `after_data`: a chunk's data has just ended, so that its CR LF comes first.
  void start_line(bool after_data);
  Scan scan(std::string_view input);

 private:
  /// Where in `size *( ";" name [ "=" value ] )` we are; blanks may stand around ';' and '=' of extensions only.
  enum class Part : std::uint8_t {
    kDataEnd,
    kSize,
    kNameStart,
    kName,
    kAfterName,
    kValueStart,
    kToken,
    kQuoted,
    kEscape,
    kQuotedEnd,
    kAfterValue,
  };
  Fault take(char c);
  Fault take_size(char c);
  Fault take_extension(char c);
  [[nodiscard]] bool may_end() const;

  Bounds bounds_{};
  std::uint32_t message_extension_ = 0;
  std::uint32_t extension_ = 0;
  std::uint32_t digits_ = 0;
  Part part_ = Part::kSize;
  bool last_cr_ = false;
};

}  // namespace weir::http
