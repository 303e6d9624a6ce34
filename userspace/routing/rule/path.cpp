#include "routing/rule/path.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace weir::routing {
namespace {

using Mode = config::MeshConfig::PathNormalization;

enum class Class : uint8_t { kKeep, kUnreserved, kEscape };

// What may stand in a path as it is, and what of it is meant the same when escaped (RFC 3986 2.3). The rest follows
// Envoy, whose canonical form this is.
constexpr Class classify(unsigned char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return Class::kUnreserved;
  if (c == '-' || c == '.' || c == '_' || c == '~') return Class::kUnreserved;
  if (c <= ' ' || c >= 0x7f || std::string_view("\"#<>?\\^`{|}").find(static_cast<char>(c)) != std::string_view::npos) {
    return Class::kEscape;
  }
  return Class::kKeep;
}

constexpr std::array<Class, 256> make_classes() {
  std::array<Class, 256> classes{};
  for (size_t i = 0; i < classes.size(); ++i) classes[i] = classify(static_cast<unsigned char>(i));
  return classes;
}
constexpr std::array<Class, 256> kClasses = make_classes();

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The byte that the escape at the start of `text` stands for; -1 when it is none.
int decode_escape(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return -1;
  const int high = hex_digit(text[1]), low = hex_digit(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// Whether BASE would leave the path as it is. Only a first look: false may be wrong, true never.
bool is_plain(std::string_view path, Mode mode) {
  char previous = 0;
  for (const char c : path) {
    if (c == '%' || kClasses[static_cast<unsigned char>(c)] == Class::kEscape) return false;
    if (previous == '/' && (c == '.' || (c == '/' && mode != Mode::kBase))) return false;
    previous = c;
  }
  return true;
}

std::string decode_slashes(std::string_view path) {
  std::string result;
  result.reserve(path.size());
  for (size_t i = 0; i < path.size(); ++i) {
    const int byte = decode_escape(path.substr(i));
    if (byte == '/' || byte == '\\') {
      result.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      result.push_back(path[i]);
    }
  }
  return result;
}

/// Decoding inside a broken escape must not make a valid one of it: "%%30%30" would read "%00" to whoever looks next.
/// Keeps that '%' apart by escaping it.
class EscapeGuard {
 public:
  explicit EscapeGuard(std::string& out) : out_(out) {}
  void broken_percent() { at_ = out_.size(); }
  /// After a decoded byte was appended; `next` is what follows in the input.
  void decoded(std::string_view next) {
    if (at_ == std::string::npos || out_.size() - at_ > 3) return;
    std::string tail = out_.substr(at_, 3);
    if (tail.size() == 2 && !next.empty()) tail.push_back(next.front());
    if (decode_escape(tail) >= 0) out_.insert(at_ + 1, "25");
  }

 private:
  std::string& out_;
  size_t at_ = std::string::npos;
};

void append_escaped(std::string& out, unsigned char byte) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  out.push_back('%');
  out.push_back(kHex[byte >> 4]);
  out.push_back(kHex[byte & 15]);
}

/// Appends one segment (no slash in it) in canonical form. False: it holds NUL.
bool append_segment(std::string& out, std::string_view segment) {
  EscapeGuard guard(out);
  for (size_t i = 0; i < segment.size(); ++i) {
    const auto c = static_cast<unsigned char>(segment[i]);
    if (c == 0) return false;
    if (c == '%') {
      const int byte = decode_escape(segment.substr(i));
      if (byte == 0) return false;
      if (byte < 0) {
        guard.broken_percent();
        out.push_back('%');
      } else if (kClasses[static_cast<size_t>(byte)] == Class::kUnreserved) {
        out.push_back(static_cast<char>(byte));
        i += 2;
        guard.decoded(segment.substr(i + 1));
      } else {
        out.append(segment.substr(i, 3));
        i += 2;
      }
    } else if (kClasses[c] == Class::kEscape) {
      append_escaped(out, c);
    } else {
      out.push_back(segment[i]);
    }
  }
  return true;
}

/// 1 for ".", 2 for "..", 0 for anything else; escaped dots and path parameters count (CVE-2026-73551 in Envoy).
int dot_segment(std::string_view segment) {
  segment = segment.substr(0, segment.find(';'));
  int dots = 0;
  while (!segment.empty()) {
    const bool escaped = decode_escape(segment) == '.';
    if (!escaped && segment.front() != '.') return 0;
    segment.remove_prefix(escaped ? 3 : 1);
    if (++dots > 2) return 0;
  }
  return dots;
}

/// `path` begins with a slash, and so does the result. False: it holds NUL.
bool append_canonical(std::string& out, std::string_view path) {
  const size_t start = out.size();
  out.push_back('/');
  path.remove_prefix(1);
  while (true) {
    const size_t end = std::min(path.find_first_of("/\\"), path.size());
    const std::string_view segment = path.substr(0, end);
    const bool last = end == path.size();
    const int dots = dot_segment(segment);
    if (dots == 0) {
      if (!append_segment(out, segment)) return false;
      if (!last) out.push_back('/');
    } else if (dots == 2 && out.size() > start + 1) {
      out.pop_back();
      out.resize(out.rfind('/') + 1);
    }
    if (last) return true;
    path.remove_prefix(end + 1);
  }
}

void merge_slashes(std::string& path) {
  path.erase(std::unique(path.begin(), path.end(), [](char a, char b) { return a == '/' && b == '/'; }), path.end());
}

}  // namespace

std::optional<std::string_view> normalise_target(std::string_view target, Mode mode, std::string& buffer) {
  target = target.substr(0, target.find('#'));
  const size_t path_size = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, path_size);
  if (mode == Mode::kNone || !path.starts_with('/') || is_plain(path, mode)) return target;

  std::string decoded;
  std::string_view source = path;
  if (mode == Mode::kDecodeAndMergeSlashes) source = decoded = decode_slashes(path);
  std::string result;
  result.reserve(target.size());
  if (!append_canonical(result, source)) return std::nullopt;
  if (mode != Mode::kBase) merge_slashes(result);
  result.append(target.substr(path_size));
  buffer = std::move(result);
  return buffer;
}

}  // namespace weir::routing
