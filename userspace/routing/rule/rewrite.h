#pragma once
// http[].rewrite, compiled: the path and host that the endpoint gets to see (semantics 1.2, istio-facts 29).

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/model.h"
#include "routing/rule/match.h"

namespace re2 {
class RE2;
}

namespace weir::routing {

/// Replaces what `uri` matched of `target`'s path: the prefix textually, with an exact or regex match the whole path;
/// without a uri condition (null) the prefix is "/". The query is kept. Also what redirect.prefixRewrite does.
std::string replace_matched_path(std::string_view target, const StringMatcher* uri, std::string_view replacement);
/// By whole segments, neither a slash too many nor one too few (Gateway API ReplacePrefixMatch): in "/a/b" "/a" by "/"
/// gives "/b". `uri`: the path prefix that matched; anything else stands for "/". `keep_slash`: the replacement's last
/// slash stays where the prefix was the whole path, as Istio's redirects have it.
std::string replace_path_prefix(std::string_view target, const StringMatcher* uri, std::string_view replacement,
                                bool keep_slash);
/// The whole path; the query is kept, unless the replacement has one of its own.
std::string replace_full_path(std::string_view target, std::string_view replacement);

/// Immutable; any thread.
class Rewriter {
 public:
  /// Errors: both uri and uriRegexRewrite, an unreadable regex, a group in `rewrite` that `match` does not have.
  static Result<Rewriter> compile(const config::HttpRewrite& rewrite);
  /// Gateway API URLRewrite. ReplaceFullPath: `full`; ReplacePrefixMatch: `prefix`; at most one of them. `authority`
  /// may be empty.
  static Rewriter for_gateway_api(std::optional<std::string> full, std::optional<std::string> prefix,
                                  std::string authority);
  Rewriter(Rewriter&&) noexcept;
  Rewriter& operator=(Rewriter&&) noexcept;
  ~Rewriter();

  /// The target (normalised path, with query) to send; `uri` is the condition of the match entry that held, or null.
  [[nodiscard]] std::string target(std::string_view target, const StringMatcher* uri) const;
  /// The Host to send; empty: the client's.
  [[nodiscard]] const std::string& authority() const { return authority_; }

 private:
  Rewriter();
  std::string uri_, authority_, substitution_;
  std::optional<std::string> full_path_, path_prefix_;
  std::unique_ptr<const re2::RE2> regex_;
};

}  // namespace weir::routing
