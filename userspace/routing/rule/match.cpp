#include "routing/rule/match.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace weir::routing {
namespace {

constexpr size_t kMaxRegex = 1024;  // Istio's limit

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

/// Fields that are one value however many times they are sent; the receiver joins them before anything looks at them.
/// Every other field keeps its values apart (istio-facts 2, 5).
constexpr std::array<std::string_view, 9> kLists = {"connection", "content-type",    "cookie",
                                                    "te",         "upgrade",         "user-agent",
                                                    "via",        "x-forwarded-for", "x-forwarded-host"};

bool is_list(std::string_view name) {
  return std::ranges::find(kLists, name) != kLists.end();
}

Error compile_error(std::string_view field, Error error) {
  return std::move(error).context(field);
}

void explain_mismatch(std::string* why_not, std::string_view what, const StringMatcher& matcher,
                      std::string_view actual) {
  if (why_not != nullptr) *why_not = std::string(what) + " " + matcher.to_text() + " != " + quoted(actual);
}

bool check(const std::optional<StringMatcher>& matcher, std::string_view what, std::string_view actual,
           std::string* why_not) {
  if (!matcher || matcher->matches(actual)) return true;
  explain_mismatch(why_not, what, *matcher, actual);
  return false;
}

Result<void> compile_into(std::optional<StringMatcher>& target, std::string_view field,
                          const std::optional<config::StringMatch>& match, bool ignore_case = false) {
  if (!match) return {};
  auto compiled = StringMatcher::compile(*match, ignore_case);
  if (!compiled) return compile_error(field, std::move(compiled).error());
  target = std::move(compiled).value();
  return {};
}

}  // namespace

// ---------------------------------------------------------------- StringMatcher

StringMatcher::StringMatcher() = default;
StringMatcher::StringMatcher(StringMatcher&&) noexcept = default;
StringMatcher& StringMatcher::operator=(StringMatcher&&) noexcept = default;
StringMatcher::~StringMatcher() = default;

Result<StringMatcher> StringMatcher::compile(const config::StringMatch& match, bool ignore_case) {
  StringMatcher result;
  result.value_ = match.value;
  result.ignore_case_ = ignore_case;
  switch (match.type) {
    case config::StringMatch::Type::kExact:
      result.type_ = Type::kExact;
      break;
    case config::StringMatch::Type::kPrefix:
      result.type_ = Type::kPrefix;
      break;
    case config::StringMatch::Type::kPresent:
      result.type_ = Type::kPresent;
      break;
    case config::StringMatch::Type::kRegex:
      result.type_ = Type::kRegex;
      break;
  }
  if (result.type_ != Type::kRegex) return result;
  if (match.value.empty()) return Error{"regex is empty; write \".*\" to match any value"};
  if (match.value.size() > kMaxRegex) return Error{"regex is longer than 1024 characters"};
  auto regex = std::make_unique<re2::RE2>(match.value, re2::RE2::Quiet);
  if (!regex->ok()) return Error{"regex " + quoted(match.value) + ": " + regex->error()};
  result.regex_ = std::move(regex);
  return result;
}

StringMatcher StringMatcher::path_prefix(std::string_view path) {
  StringMatcher result;
  result.type_ = Type::kPathPrefix;
  result.value_ = path;
  while (result.value_.ends_with('/')) result.value_.pop_back();
  return result;
}

bool StringMatcher::matches(std::string_view text) const {
  switch (type_) {
    case Type::kPathPrefix:
      return text.starts_with(value_) && (text.size() == value_.size() || text[value_.size()] == '/');
    case Type::kExact:
      return ignore_case_ ? equal_ignoring_case(text, value_) : text == value_;
    case Type::kPrefix:
      return ignore_case_ ? starts_with_ignoring_case(text, value_) : text.starts_with(value_);
    case Type::kRegex:
      return regex_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), re2::RE2::ANCHOR_BOTH, nullptr,
                           0);
    case Type::kPresent:
      break;
  }
  return true;
}

bool StringMatcher::matches_all() const {
  return type_ == Type::kPresent || (type_ == Type::kPrefix && value_.empty()) ||
         (type_ == Type::kPathPrefix && value_.empty()) || (type_ == Type::kRegex && value_ == ".*");
}

std::string StringMatcher::to_text() const {
  switch (type_) {
    case Type::kExact:
      return "exact " + quoted(value_);
    case Type::kPrefix:
      return "prefix " + quoted(value_);
    case Type::kPathPrefix:
      return "path prefix " + quoted(value_.empty() ? "/" : value_);
    case Type::kRegex:
      return "regex " + quoted(value_);
    case Type::kPresent:
      break;
  }
  return "present";
}

// ---------------------------------------------------------------- HeaderMatcher

HeaderMatcher::HeaderMatcher(std::string_view name, StringMatcher matcher, bool inverted)
    : name_(name), source_(Source::kField), matcher_(std::move(matcher)), inverted_(inverted) {
  std::ranges::transform(name_, name_.begin(), ascii_lower);
  if (name_ == ":method")
    source_ = Source::kMethod;
  else if (name_ == ":scheme")
    source_ = Source::kScheme;
  else if (name_ == ":authority" || name_ == "host")
    source_ = Source::kAuthority;
  else if (name_ == ":path")
    source_ = Source::kTarget;
  else if (name_ == "x-forwarded-proto")
    source_ = Source::kForwardedProto;
  else if (name_.starts_with(':'))
    source_ = Source::kNever;
  else if (is_list(name_))
    source_ = Source::kList;
}

Result<HeaderMatcher> HeaderMatcher::compile(std::string_view name, const config::StringMatch& match, bool inverted) {
  const std::string field = std::string(inverted ? "withoutHeaders " : "headers ") + quoted(name);
  if (name.empty()) return Error{field + ": the name is empty"};
  if (name.starts_with("@")) return Error{field + ": conditions on JWT claims are not supported"};
  auto matcher = StringMatcher::compile(match);
  if (!matcher) return compile_error(field, std::move(matcher).error());
  return HeaderMatcher(name, std::move(matcher).value(), inverted);
}

bool HeaderMatcher::matches_value(std::string_view value, std::string* why_not) const {
  if (matcher_.matches(value) != inverted_) return true;
  if (why_not != nullptr && inverted_)
    *why_not = "withoutHeaders " + name_ + " " + matcher_.to_text() + " == " + quoted(value);
  if (!inverted_) explain_mismatch(why_not, "header " + name_, matcher_, value);
  return false;
}

// headers: an absent header never matches. withoutHeaders: it counts as empty, except that "present" finds it absent.
bool HeaderMatcher::matches_absent(std::string* why_not) const {
  if (inverted_ && (matcher_.type() == StringMatcher::Type::kPresent || !matcher_.matches(""))) return true;
  if (why_not == nullptr) return false;
  *why_not = inverted_ ? "withoutHeaders " + name_ + " " + matcher_.to_text() +
                             " matches the absent header, which counts as empty"
                       : "header " + name_ + " " + matcher_.to_text() + ": not sent";
  return false;
}

// Each value is held against the condition on its own: one that matches is enough, or, inverted, one is too many.
bool HeaderMatcher::matches_fields(const RequestView& request, std::string* why_not) const {
  std::string_view last;
  bool found = false;
  for (const HeaderField& field : request.headers) {
    if (!equal_ignoring_case(field.name, name_)) continue;
    found = true;
    last = field.value;
    if (matcher_.matches(field.value)) return inverted_ ? matches_value(field.value, why_not) : true;
  }
  if (!found) return matches_absent(why_not);
  return matches_value(last, why_not);
}

bool HeaderMatcher::matches_list(const RequestView& request, std::string* why_not) const {
  const HeaderField* first = find_header(request.headers, name_);
  if (first == nullptr) return matches_absent(why_not);
  const auto rest = request.headers.subspan(static_cast<size_t>(first - request.headers.data()) + 1);
  if (find_header(rest, name_) == nullptr) return matches_value(first->value, why_not);
  std::string joined(first->value);
  for (const HeaderField& field : rest) {
    if (equal_ignoring_case(field.name, name_)) joined.append(name_ == "cookie" ? "; " : ",").append(field.value);
  }
  return matches_value(joined, why_not);
}

bool HeaderMatcher::matches(const RequestView& request, std::string* why_not) const {
  switch (source_) {
    case Source::kField:
      return matches_fields(request, why_not);
    case Source::kList:
      return matches_list(request, why_not);
    case Source::kMethod:
      return matches_value(request.method, why_not);
    case Source::kScheme:
      return matches_value(request.scheme, why_not);
    case Source::kAuthority:
      return matches_value(request.authority, why_not);
    case Source::kTarget:
      return matches_value(request.target, why_not);
    case Source::kForwardedProto: {
      // The receiver adds it where the client did not (istio-facts 9).
      const HeaderField* sent = find_header(request.headers, name_);
      return matches_value(sent != nullptr ? sent->value : request.scheme, why_not);
    }
    case Source::kNever:
      break;
  }
  return matches_absent(why_not);
}

// ---------------------------------------------------------------- HttpMatcher

std::string quoted_for_regex(std::string_view text) {
  return re2::RE2::QuoteMeta(re2::StringPiece(text.data(), text.size()));
}

Result<void> HttpMatcher::compile_headers(const config::HttpMatch& match) {
  for (const bool inverted : {false, true}) {
    for (const auto& [name, condition] : inverted ? match.without_headers : match.headers) {
      auto compiled = HeaderMatcher::compile(name, condition, inverted);
      if (!compiled) return std::move(compiled).error();
      headers_.push_back(std::move(compiled).value());
    }
  }
  return {};
}

Result<HttpMatcher> HttpMatcher::compile(const config::HttpMatch& match) {
  HttpMatcher result;
  WEIR_TRY(compile_into(result.uri_, "uri", match.uri, match.ignore_uri_case));
  WEIR_TRY(compile_into(result.scheme_, "scheme", match.scheme));
  WEIR_TRY(compile_into(result.method_, "method", match.method));
  WEIR_TRY(compile_into(result.authority_, "authority", match.authority));
  WEIR_TRY(result.compile_headers(match));
  for (const auto& [name, condition] : match.query_params) {
    auto compiled = StringMatcher::compile(condition);
    if (!compiled) return compile_error("queryParams " + quoted(name), std::move(compiled).error());
    result.query_.push_back({name, std::move(compiled).value()});
  }
  return result;
}

bool HttpMatcher::matches_query(const RequestView& request, std::string* why_not) const {
  for (const QueryMatcher& query : query_) {
    const auto value = query_value(request.query, query.name);
    if (value && query.matcher.matches(*value)) continue;
    if (value) explain_mismatch(why_not, "queryParam " + query.name, query.matcher, *value);
    if (!value && why_not != nullptr)
      *why_not = "queryParam " + query.name + " " + query.matcher.to_text() + ": not sent";
    return false;
  }
  return true;
}

bool HttpMatcher::matches(const RequestView& request, std::string* why_not) const {
  return check(uri_, "uri", request.path, why_not) && check(method_, "method", request.method, why_not) &&
         check(scheme_, "scheme", request.scheme, why_not) &&
         check(authority_, "authority", request.authority, why_not) &&
         std::ranges::all_of(headers_, [&](const HeaderMatcher& header) { return header.matches(request, why_not); }) &&
         matches_query(request, why_not);
}

bool HttpMatcher::takes_every_request() const {
  if (scheme_ || method_ || authority_ || !headers_.empty() || !query_.empty()) return false;
  if (!uri_ || uri_->matches_all()) return true;
  // Every path begins with a slash.
  return (uri_->type() == StringMatcher::Type::kPrefix && uri_->value() == "/") ||
         (uri_->type() == StringMatcher::Type::kRegex && uri_->value() == "/.*");
}

std::string HttpMatcher::first_condition() const {
  for (const bool inverted : {false, true})
    for (const HeaderMatcher& header : headers_)
      if (header.inverted() == inverted) return (inverted ? "the absence of header " : "header ") + header.name();
  if (uri_ && !takes_every_request()) return "the uri";
  if (method_) return "the method";
  if (authority_) return "the authority";
  if (scheme_) return "the scheme";
  return query_.empty() ? std::string() : "query parameter " + query_.front().name;
}

std::string HttpMatcher::to_text() const {
  std::string text;
  const auto add = [&](const std::string& what, const StringMatcher& matcher) {
    text += (text.empty() ? "" : ", ") + what + " " + matcher.to_text();
  };
  if (uri_) add("uri", *uri_);
  if (scheme_) add("scheme", *scheme_);
  if (method_) add("method", *method_);
  if (authority_) add("authority", *authority_);
  for (const HeaderMatcher& header : headers_)
    add((header.inverted() ? "not header " : "header ") + header.name(), header.value());
  for (const QueryMatcher& query : query_) add("query " + query.name, query.matcher);
  return text.empty() ? "any" : text;
}

std::optional<std::string_view> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name)
      return equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
  }
  return std::nullopt;
}

}  // namespace weir::routing
