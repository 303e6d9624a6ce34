#pragma once
// An entry of http[].match, compiled: does this request satisfy it? (semantics 1.1, istio-facts 2-9)
//
// Only what a request says: port, sourceLabels, sourceNamespace and gateways are decided when the table is built.
// Matching is pure, const and safe from any thread; it allocates only for a header list (Cookie, Via ...) that was sent
// in several fields and must be joined first.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "routing/rule/request_view.h"

namespace re2 {
class RE2;
}

namespace weir::routing {

/// exact, prefix, regex (RE2, whole text), present, or a path's prefix by whole segments (Gateway API PathPrefix).
class StringMatcher {
 public:
  enum class Type { kExact, kPrefix, kPathPrefix, kRegex, kPresent };

  /// `ignore_case` holds for exact and prefix only, as in Istio. Errors: an empty, over-long (1024) or unreadable
  /// regex.
  static Result<StringMatcher> compile(const config::StringMatch& match, bool ignore_case = false);
  /// "/v2" takes "/v2" and "/v2/x", not "/v20"; a slash at the end does not count, "/" takes all.
  static StringMatcher path_prefix(std::string_view path);
  StringMatcher(StringMatcher&&) noexcept;
  StringMatcher& operator=(StringMatcher&&) noexcept;
  ~StringMatcher();

  [[nodiscard]] bool matches(std::string_view text) const;
  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] bool ignores_case() const { return ignore_case_; }
  /// True for what matches every text: present, prefix "", path prefix "/" and regex ".*".
  [[nodiscard]] bool matches_all() const;
  /// `exact "jason"`, `present`.
  [[nodiscard]] std::string to_text() const;

 private:
  StringMatcher();
  Type type_ = Type::kPresent;
  bool ignore_case_ = false;
  std::string value_;
  std::unique_ptr<const re2::RE2> regex_;
};

/// One condition on a header, a pseudo header (":method") or, inverted, its absence.
class HeaderMatcher {
 public:
  static Result<HeaderMatcher> compile(std::string_view name, const config::StringMatch& match, bool inverted);
  bool matches(const RequestView& request, std::string* why_not) const;

  /// In lower case.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const StringMatcher& value() const { return matcher_; }
  [[nodiscard]] bool inverted() const { return inverted_; }
  /// Whether it can only hold where some field of that name has exactly value().value(): what an index can go by.
  [[nodiscard]] bool demands_one_value() const {
    return source_ == Source::kField && !inverted_ && matcher_.type() == StringMatcher::Type::kExact;
  }

 private:
  enum class Source { kField, kList, kMethod, kScheme, kAuthority, kTarget, kForwardedProto, kNever };
  HeaderMatcher(std::string_view name, StringMatcher matcher, bool inverted);
  bool matches_value(std::string_view value, std::string* why_not) const;
  bool matches_absent(std::string* why_not) const;
  bool matches_fields(const RequestView& request, std::string* why_not) const;
  bool matches_list(const RequestView& request, std::string* why_not) const;

  std::string name_;  // lower case
  Source source_;
  StringMatcher matcher_;
  bool inverted_;
};

/// The regular expression that matches `text` and nothing else.
[[nodiscard]] std::string quoted_for_regex(std::string_view text);

class HttpMatcher {
 public:
  /// Errors name the field: "uri: regex \"(\": missing )". Conditions on JWT claims (@request.auth.claims) are refused.
  static Result<HttpMatcher> compile(const config::HttpMatch& match);
  HttpMatcher(HttpMatcher&&) noexcept = default;
  HttpMatcher& operator=(HttpMatcher&&) noexcept = default;

  /// In place of the uri condition that it has, if any.
  void set_uri(StringMatcher uri) { uri_ = std::move(uri); }

  /// All conditions hold. `why_not`, if given, is set to the first one that does not:
  /// `header end-user exact "jason" != "tester"`.
  bool matches(const RequestView& request, std::string* why_not = nullptr) const;

  /// Whether nothing of the request is tested, so that the match can be decided without it (istio route.go
  /// IsCatchAllRoute): no condition but a uri of prefix "/" or "", or of regex ".*".
  [[nodiscard]] bool takes_every_request() const;
  /// The first thing that it tests, for a reader: "header end-user", "the uri"; empty: nothing.
  [[nodiscard]] std::string first_condition() const;
  /// All of it in one line: `uri prefix "/a", header end-user exact "jason"`; "any" when it tests nothing.
  [[nodiscard]] std::string to_text() const;

  /// The uri condition, for what depends on how the path matched (rewrite, redirect); null when there is none.
  [[nodiscard]] const StringMatcher* uri() const { return uri_ ? &*uri_ : nullptr; }
  [[nodiscard]] const StringMatcher* method() const { return method_ ? &*method_ : nullptr; }
  [[nodiscard]] const StringMatcher* authority() const { return authority_ ? &*authority_ : nullptr; }
  [[nodiscard]] const std::vector<HeaderMatcher>& headers() const { return headers_; }
  [[nodiscard]] size_t query_count() const { return query_.size(); }

 private:
  struct QueryMatcher {
    std::string name;
    StringMatcher matcher;
  };

  HttpMatcher() = default;
  Result<void> compile_headers(const config::HttpMatch& match);
  bool matches_query(const RequestView& request, std::string* why_not) const;

  std::optional<StringMatcher> uri_, scheme_, method_, authority_;
  std::vector<HeaderMatcher> headers_;
  std::vector<QueryMatcher> query_;
};

/// The first value of `name` in a query string, undecoded; nothing when the name is not there (istio-facts 7).
std::optional<std::string_view> query_value(std::string_view query, std::string_view name);

}  // namespace weir::routing
