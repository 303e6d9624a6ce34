#include "http/validator.h"

#include <algorithm>
#include <array>
#include <string>

#include "http/authority.h"
#include "http/field.h"

namespace weir::http {
namespace {

Fault read_transfer_encoding(const HeaderList& headers) {
  unsigned chunked = 0;
  bool last_is_chunked = false;
  bool other = false;
  bool malformed = false;
  for (const Header& header : headers) {
    if (header.id != HeaderId::kTransferEncoding) continue;
    for_each_element(header.value, [&](std::string_view coding) {
      malformed = malformed || !is_token(coding);
      last_is_chunked = equals_ignore_case(coding, "chunked");
      chunked += last_is_chunked ? 1 : 0;
      other = other || !last_is_chunked;
    });
  }
  if (malformed || chunked > 1 || (chunked == 1 && !last_is_chunked)) return Fault::kTransferEncoding;
  return other ? Fault::kUnknownCoding : Fault::kNone;
}

BodyLength read_content_length(const HeaderList& headers, const Limits& limits) {
  if (headers.count(HeaderId::kContentLength) != 1) return {Fault::kContentLength};
  const std::string_view text = headers.value(HeaderId::kContentLength);
  const auto length = parse_canonical_decimal(text);
  if (length && *length <= limits.max_content_length) return {Fault::kNone, Framing::kLength, *length};
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool too_large = digits && !text.empty() && (length || text.front() != '0');
  return {too_large ? Fault::kContentTooLarge : Fault::kContentLength};
}

void set_path(RequestHead& head, std::string_view path_and_query) {
  head.path_and_query = path_and_query;
  const std::size_t mark = path_and_query.find('?');
  head.path = path_and_query.substr(0, mark);
  head.query = mark == std::string_view::npos ? std::string_view() : path_and_query.substr(mark + 1);
}

bool set_authority(RequestHead& head, std::string_view text) {
  const auto authority = parse_authority(text);
  if (!authority) return false;
  Arena& arena = head.headers.arena();
  head.authority = text;
  arena.begin();
  arena.append_lower(authority->host.data(), authority->host.size());
  head.host = arena.end();
  head.host_had_dot = authority->trailing_dot;
  head.port = authority->port;
  return true;
}

/// http://authority[/path][?query]: RFC 9112 section 3.2.2. The authority takes the place of Host.
Fault read_absolute(RequestHead& head) {
  constexpr std::string_view kScheme = "http://";
  const std::string_view target = head.target;
  if (target.size() < kScheme.size() || !equals_ignore_case(target.substr(0, kScheme.size()), kScheme)) {
    return Fault::kTarget;
  }
  const std::string_view rest = target.substr(kScheme.size());
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (!set_authority(head, rest.substr(0, end))) return Fault::kTarget;
  head.form = TargetForm::kAbsolute;
  const std::string_view path = rest.substr(end);
  if (path.starts_with('/')) {
    set_path(head, path);
  } else if (path.empty() && head.method == Method::kOptions) {
    set_path(head, "*");  // RFC 9112 section 3.2.4
  } else {
    Arena& arena = head.headers.arena();
    arena.begin();
    arena.append("/", 1);
    arena.append(path.data(), path.size());
    set_path(head, arena.end());
  }
  return Fault::kNone;
}

Fault read_host(RequestHead& head) {
  const std::size_t hosts = head.headers.count(HeaderId::kHost);
  if (hosts == 0 && head.version == Version::kHttp10) return Fault::kNone;
  if (hosts != 1 || !set_authority(head, head.headers.value(HeaderId::kHost))) return Fault::kHost;
  return Fault::kNone;
}

Fault read_upgrade(RequestHead& head, const ConnectionOptions& connection, const Limits& limits) {
  if (!connection.upgrade || head.version != Version::kHttp11) return Fault::kNone;
  for (const Header& header : head.headers) {
    if (header.id != HeaderId::kUpgrade) continue;
    for_each_element(header.value, [&](std::string_view protocol) {
      const auto same = [protocol](const std::string& name) { return equals_ignore_case(name, protocol); };
      const auto at = std::find_if(limits.upgrades.begin(), limits.upgrades.end(), same);
      if (head.upgrade.empty() && at != limits.upgrades.end()) head.upgrade = *at;
    });
  }
  if (head.upgrade.empty()) return Fault::kNone;
  return head.has_body() ? Fault::kUpgrade : Fault::kNone;
}

/// Of HTTP/1.0 it is ignored (RFC 9110 section 10.1.1).
Fault read_expect(RequestHead& head) {
  const Header* expect = head.headers.find(HeaderId::kExpect);
  if (expect == nullptr || head.version == Version::kHttp10) return Fault::kNone;
  if (head.headers.count(HeaderId::kExpect) != 1 || !equals_ignore_case(expect->value, "100-continue")) {
    return Fault::kExpect;
  }
  head.expect_continue = head.has_body();
  return Fault::kNone;
}

}  // namespace

BodyLength read_body_length(const HeaderList& headers, Version version, const Limits& limits) {
  const bool encoded = headers.find(HeaderId::kTransferEncoding) != nullptr;
  const bool sized = headers.find(HeaderId::kContentLength) != nullptr;
  if (encoded && sized) return {Fault::kLengthAndEncoding};
  if (sized) return read_content_length(headers, limits);
  if (!encoded) return {};
  if (version == Version::kHttp10) return {Fault::kEncodingInHttp10};
  const Fault fault = read_transfer_encoding(headers);
  return {fault, fault == Fault::kNone ? Framing::kChunked : Framing::kNone};
}

ConnectionOptions read_connection(const HeaderList& headers) {
  ConnectionOptions options;
  if (headers.find(HeaderId::kConnection) == nullptr) return options;
  for (const Header& header : headers) {
    if (header.id != HeaderId::kConnection) continue;
    for_each_element(header.value, [&](std::string_view option) {
      ++options.count;
      if (equals_ignore_case(option, "close")) {
        options.close = true;
      } else if (equals_ignore_case(option, "keep-alive")) {
        options.keep_alive = true;
      } else if (equals_ignore_case(option, "upgrade")) {
        options.upgrade = true;
      } else {
        options.names_fields = true;
      }
    });
  }
  return options;
}

Fault read_target(RequestHead& head) {
  const std::string_view target = head.target;
  // A '#' is no part of a request target; some readers cut there, others do not.
  if (!is_visible_ascii(target) || target.find('#') != std::string_view::npos) return Fault::kTarget;
  if (const Fault fault = read_host(head); fault != Fault::kNone) return fault;
  if (target.starts_with('/')) {
    head.form = TargetForm::kOrigin;
    set_path(head, target);
    return Fault::kNone;
  }
  if (target == "*") {
    head.form = TargetForm::kAsterisk;
    set_path(head, target);
    return head.method == Method::kOptions ? Fault::kNone : Fault::kTarget;
  }
  return read_absolute(head);
}

Fault read_intentions(RequestHead& head, const ConnectionOptions& connection, const Limits& limits) {
  if (const Fault fault = read_upgrade(head, connection, limits); fault != Fault::kNone) return fault;
  if (const auto left = parse_canonical_decimal(head.headers.value(HeaderId::kMaxForwards)); left) {
    head.max_forwards = static_cast<std::uint32_t>(std::min<std::uint64_t>(*left, UINT32_MAX));
  }
  return read_expect(head);
}

unsigned count_via(const HeaderList& headers, std::string_view name) {
  unsigned hops = 0;
  for (const Header& header : headers) {
    if (header.id != HeaderId::kVia) continue;
    // received-protocol RWS received-by [ RWS comment ]: RFC 9110 section 7.6.3
    for_each_element(header.value, [&](std::string_view hop) {
      hop = trim(hop.substr(std::min(hop.find_first_of(" \t"), hop.size())));
      hops += equals_ignore_case(hop.substr(0, hop.find_first_of(" \t")), name) ? 1 : 0;
    });
  }
  return hops;
}

UnderscoreVerdict judge_underscore(std::string_view lower_name, UnderscorePolicy policy) {
  constexpr std::size_t kLongest = 19;  // no known name is longer
  if (lower_name.size() <= kLongest) {
    std::array<char, kLongest> dashes{};
    std::replace_copy(lower_name.begin(), lower_name.end(), dashes.begin(), '_', '-');
    const HeaderId id = header_id({dashes.data(), lower_name.size()});
    if (id == HeaderId::kHost || id == HeaderId::kContentLength || is_hop_by_hop(id)) return UnderscoreVerdict::kReject;
  }
  switch (policy) {
    case UnderscorePolicy::kDrop:
      return UnderscoreVerdict::kDrop;
    case UnderscorePolicy::kReject:
      return UnderscoreVerdict::kReject;
    case UnderscorePolicy::kKeep:
      return UnderscoreVerdict::kKeep;
  }
  return UnderscoreVerdict::kReject;
}

}  // namespace weir::http
