#include "routing/rule/rewrite.h"

#include <re2/re2.h>

#include <algorithm>

namespace weir::routing {

std::string replace_matched_path(std::string_view target, const StringMatcher* uri, std::string_view replacement) {
  const size_t path_size = std::min(target.find('?'), target.size());
  size_t replaced = path_size;
  if (uri == nullptr || uri->type() == StringMatcher::Type::kPresent) replaced = std::min<size_t>(1, path_size);
  if (uri != nullptr && uri->type() == StringMatcher::Type::kPrefix)
    replaced = std::min(uri->value().size(), path_size);
  std::string result(replacement);
  return result.append(target.substr(replaced));
}

Rewriter::Rewriter() = default;
Rewriter::Rewriter(Rewriter&&) noexcept = default;
Rewriter& Rewriter::operator=(Rewriter&&) noexcept = default;
Rewriter::~Rewriter() = default;

Result<Rewriter> Rewriter::compile(const config::HttpRewrite& rewrite) {
  Rewriter result;
  result.uri_ = rewrite.uri;
  result.authority_ = rewrite.authority;
  if (!rewrite.uri_regex) return result;
  if (!rewrite.uri.empty()) return Error{"rewrite: uri and uriRegexRewrite exclude each other"};
  auto regex = std::make_unique<re2::RE2>(rewrite.uri_regex->match, re2::RE2::Quiet);
  if (!regex->ok())
    return Error{"rewrite.uriRegexRewrite.match \"" + rewrite.uri_regex->match + "\": " + regex->error()};
  std::string problem;
  if (!regex->CheckRewriteString(rewrite.uri_regex->rewrite, &problem)) {
    return Error{"rewrite.uriRegexRewrite.rewrite \"" + rewrite.uri_regex->rewrite + "\": " + problem};
  }
  result.substitution_ = rewrite.uri_regex->rewrite;
  result.regex_ = std::move(regex);
  return result;
}

std::string Rewriter::target(std::string_view target, const StringMatcher* uri) const {
  if (!uri_.empty()) return replace_matched_path(target, uri, uri_);
  if (regex_ == nullptr) return std::string(target);
  const size_t path_size = std::min(target.find('?'), target.size());
  std::string path(target.substr(0, path_size));
  re2::RE2::GlobalReplace(&path, *regex_, substitution_);
  return path.append(target.substr(path_size));
}

}  // namespace weir::routing
