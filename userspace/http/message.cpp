#include "http/message.h"

#include <algorithm>

#include "http/field.h"

namespace weir::http {
namespace {

std::string_view version_name(Version version) {
  switch (version) {
    case Version::kHttp10:
      return "HTTP/1.0";
    case Version::kHttp11:
      return "HTTP/1.1";
    case Version::kHttp2:
      return "HTTP/2";
  }
  return "";
}

std::string framing_text(Framing framing, std::uint64_t length) {
  switch (framing) {
    case Framing::kNone:
      return "none";
    case Framing::kLength:
      return "length " + std::to_string(length);
    case Framing::kChunked:
      return "chunked";
    case Framing::kUntilClose:
      return "until close";
  }
  return "";
}

void append_headers(std::string& text, const HeaderList& headers) {
  for (const Header& header : headers) {
    text.append(header.name).append(": ").append(header.value).push_back('\n');
  }
}

}  // namespace

const Header* HeaderList::find(std::string_view lower_name) const {
  const HeaderId id = header_id(lower_name);
  if (id != HeaderId::kOther) return find(id);
  const auto at = std::find_if(headers_.begin(), headers_.end(), [&](const Header& h) { return h.name == lower_name; });
  return at == headers_.end() ? nullptr : &*at;
}

std::size_t HeaderList::count(HeaderId id) const {
  const std::uint16_t first = first_[static_cast<std::size_t>(id)];
  if (first == 0) return 0;
  return static_cast<std::size_t>(
      std::count_if(headers_.begin() + (first - 1), headers_.end(), [id](const Header& h) { return h.id == id; }));
}

void HeaderList::push(std::string_view lower_name, std::string_view value, HeaderId id) {
  headers_.push_back({lower_name, value, id, false});
  if (id == HeaderId::kOther) return;
  std::uint16_t& first = first_[static_cast<std::size_t>(id)];
  if (first == 0) first = static_cast<std::uint16_t>(headers_.size());
}

void HeaderList::add(std::string_view name, std::string_view value) {
  arena_.begin();
  arena_.append_lower(name.data(), name.size());
  const std::string_view own_name = arena_.end();
  push(own_name, arena_.copy(value));
}

void HeaderList::set(std::string_view name, std::string_view value) {
  const auto same = [name](const Header& h) { return equals_ignore_case(h.name, name); };
  const auto first = std::find_if(headers_.begin(), headers_.end(), same);
  if (first == headers_.end()) return add(name, value);
  first->value = arena_.copy(value);
  first->nominated = false;
  const auto kept = std::remove_if(first + 1, headers_.end(), same);
  if (kept == headers_.end()) return;
  headers_.erase(kept, headers_.end());
  reindex();
}

bool HeaderList::remove(std::string_view name) {
  const auto kept = std::remove_if(headers_.begin(), headers_.end(),
                                   [name](const Header& h) { return equals_ignore_case(h.name, name); });
  if (kept == headers_.end()) return false;
  headers_.erase(kept, headers_.end());
  reindex();
  return true;
}

void HeaderList::mark_nominated() {
  const Header* first = find(HeaderId::kConnection);
  if (first == nullptr) return;
  for (std::size_t i = static_cast<std::size_t>(first - begin()); i < headers_.size(); ++i) {
    if (headers_[i].id != HeaderId::kConnection) continue;
    for_each_element(headers_[i].value, [this](std::string_view option) {
      if (equals_ignore_case(option, "close") || equals_ignore_case(option, "keep-alive")) return;
      for (Header& header : headers_) {
        if (equals_ignore_case(header.name, option)) header.nominated = true;
      }
    });
  }
}

void HeaderList::reindex() {
  first_.fill(0);
  for (std::size_t i = headers_.size(); i-- > 0;) {
    if (headers_[i].id != HeaderId::kOther) {
      first_[static_cast<std::size_t>(headers_[i].id)] = static_cast<std::uint16_t>(i + 1);
    }
  }
}

void HeaderList::clear() {
  headers_.clear();
  first_.fill(0);
  arena_.reset();
}

void HeaderList::release() {
  clear();
  headers_.shrink_to_fit();
  arena_.release();
}

Method method_of(std::string_view name) {
  constexpr std::array<std::string_view, 9> kNames = {"GET",     "HEAD",  "POST",    "PUT",  "DELETE",
                                                      "OPTIONS", "PATCH", "CONNECT", "TRACE"};
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  return static_cast<Method>(at - kNames.begin());
}

void RequestHead::clear() {
  static_cast<RequestInfo&>(*this) = RequestInfo();
  headers.clear();
}

void ResponseHead::clear() {
  static_cast<ResponseInfo&>(*this) = ResponseInfo();
  headers.clear();
}

std::string to_text(const RequestHead& head) {
  std::string text;
  text.append(head.method_name).append(" ").append(head.path_and_query).append(" ");
  text.append(version_name(head.version)).append("\n");
  text.append("authority ").append(head.authority).append(" host ").append(head.host);
  text.append(" port ").append(std::to_string(head.port)).append("\n");
  text.append("body ").append(framing_text(head.framing, head.content_length));
  text.append(head.keep_alive ? " keep-alive" : " close");
  if (head.expect_continue) text.append(" expects-100");
  if (!head.upgrade.empty()) text.append(" upgrade ").append(head.upgrade);
  if (head.max_forwards) text.append(" max-forwards ").append(std::to_string(*head.max_forwards));
  if (head.dropped_headers != 0) text.append(" dropped ").append(std::to_string(head.dropped_headers));
  text.push_back('\n');
  append_headers(text, head.headers);
  return text;
}

std::string to_text(const ResponseHead& head) {
  std::string text;
  text.append(version_name(head.version)).append(" ").append(std::to_string(head.status));
  text.append(" ").append(head.reason).append("\n");
  text.append("body ").append(framing_text(head.framing, head.content_length));
  text.append(head.keep_alive ? " keep-alive\n" : " close\n");
  append_headers(text, head.headers);
  return text;
}

}  // namespace weir::http
