#pragma once
// The parsed model of an HTTP message head: the one representation between reading and writing. Nothing in it knows
// HTTP/1.1's bytes, so that another version of HTTP can fill it as well.
//
// All views point into the head's own arena and stay valid until clear(). Owned by one loop; not thread-safe.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/arena.h"
#include "http/header_id.h"

namespace weir::http {

struct Header {
  std::string_view name;  ///< Lower case.
  std::string_view value;
  HeaderId id = HeaderId::kOther;
  /// Named by the sender's Connection field: of that connection only, unless it is protected.
  bool nominated = false;
};

/// Fields in the order received. Names are stored and looked up in lower case.
class HeaderList {
 public:
  [[nodiscard]] std::size_t size() const { return headers_.size(); }
  [[nodiscard]] const Header* begin() const { return headers_.data(); }
  [[nodiscard]] const Header* end() const { return headers_.data() + headers_.size(); }
  const Header& operator[](std::size_t i) const { return headers_[i]; }

  /// The first field of that name, or null.
  [[nodiscard]] const Header* find(HeaderId id) const {
    const std::uint16_t at = first_[static_cast<std::size_t>(id)];
    return at == 0 ? nullptr : &headers_[at - 1];
  }
  /// `lower_name`: lower case.
  [[nodiscard]] const Header* find(std::string_view lower_name) const;
  /// The first value of that name, or empty.
  [[nodiscard]] std::string_view value(HeaderId id) const {
    const Header* header = find(id);
    return header == nullptr ? std::string_view() : header->value;
  }
  [[nodiscard]] std::size_t count(HeaderId id) const;

  /// Copies both into the arena and appends the field.
  void add(std::string_view name, std::string_view value);
  /// Replaces every field of that name by one, at the place of the first.
  void set(std::string_view name, std::string_view value);
  /// Removes every field of that name (any case); true if there was one.
  bool remove(std::string_view name);

  /// Appends a field whose name and value are already in the arena, or outlive the head.
  void push(std::string_view lower_name, std::string_view value) { push(lower_name, value, header_id(lower_name)); }
  /// `id`: header_id(lower_name).
  void push(std::string_view lower_name, std::string_view value, HeaderId id);
  Arena& arena() { return arena_; }
  /// Marks the fields that Connection names as `nominated`; those that are added later are not.
  void mark_nominated();

  void clear();
  /// clear(), and gives the memory back.
  void release();

 private:
  void reindex();

  Arena arena_;
  std::vector<Header> headers_;
  /// Of each known id: 1 + index of its first field, or 0.
  std::array<std::uint16_t, static_cast<std::size_t>(HeaderId::kCount)> first_{};
};

enum class Version : std::uint8_t { kHttp10, kHttp11, kHttp2 };

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kOptions, kPatch, kConnect, kTrace, kOther };
Method method_of(std::string_view name);

/// How the end of a body is found (RFC 9112 section 6.3).
enum class Framing : std::uint8_t {
  kNone,
  kLength,  ///< content_length bytes; may be 0.
  kChunked,
  kUntilClose,  ///< Responses only.
};

enum class TargetForm : std::uint8_t { kOrigin, kAbsolute, kAsterisk };

/// What a request head says, apart from its fields.
struct RequestInfo {
  Method method = Method::kOther;
  std::string_view method_name;
  Version version = Version::kHttp11;
  TargetForm form = TargetForm::kOrigin;
  /// As received.
  std::string_view target;
  /// What goes to the endpoint: "/path?query", or "*". Bytes unchanged (RFC 9110 section 7.7).
  std::string_view path_and_query;
  /// The parts of path_and_query, without the '?'.
  std::string_view path;
  std::string_view query;
  /// Host as the client wrote it (of the target, in absolute form): what an `authority` match and the endpoint see.
  /// Empty in HTTP/1.0 without Host.
  std::string_view authority;
  /// Host for choosing the rule: lower case, no port, no trailing dot; IPv6 in brackets.
  std::string_view host;
  bool host_had_dot = false;
  /// Of `authority`; 0: none given.
  std::uint16_t port = 0;
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;
  /// Whether the client may send another request on this connection.
  bool keep_alive = true;
  /// The client waits for 100 before it sends its body.
  bool expect_continue = false;
  /// The protocol to upgrade to, one of Limits::upgrades, or empty.
  std::string_view upgrade;
  std::optional<std::uint32_t> max_forwards;
  /// Fields left out under UnderscorePolicy::kDrop.
  std::uint32_t dropped_headers = 0;

  [[nodiscard]] bool has_body() const { return framing == Framing::kChunked || content_length != 0; }
};

struct RequestHead : RequestInfo {
  HeaderList headers;

  /// As new, but keeps its memory.
  void clear();
};

struct ResponseInfo {
  std::uint16_t status = 0;
  std::string_view reason;
  Version version = Version::kHttp11;
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;
  /// Whether the connection to the endpoint may carry another request once this response has ended.
  bool keep_alive = true;

  /// A 1xx other than 101: another response follows.
  [[nodiscard]] bool interim() const { return status < 200 && status != 101; }
};

struct ResponseHead : ResponseInfo {
  HeaderList headers;

  void clear();
};

/// One stable line per entry, for tests and reports. Control bytes cannot occur; obs-text is printed as it is.
std::string to_text(const RequestHead& head);
std::string to_text(const ResponseHead& head);

}  // namespace weir::http
