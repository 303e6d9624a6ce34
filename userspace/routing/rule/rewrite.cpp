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

std::string replace_path_prefix(std::string_view target, const StringMatcher* uri, std::string_view replacement,
                                bool keep_slash) {
  const size_t path_size = std::min(target.find('?'), target.size());
  size_t replaced = 0;
  if (uri != nullptr && uri->type() == StringMatcher::Type::kPathPrefix)
    replaced = std::min(uri->value().size(), path_size);
  std::string_view rest = target.substr(replaced, path_size - replaced);
  if (replaced == 0 && rest == "/") rest = {};  // the prefix "/" is the whole path
  if (!keep_slash || !rest.empty())
    while (replacement.ends_with('/')) replacement.remove_suffix(1);
  std::string path(replacement);
  path.append(rest);
  if (path.empty()) path = "/";
  return path.append(target.substr(path_size));
}

std::string replace_full_path(std::string_view target, std::string_view replacement) {
  std::string path(replacement);
  if (!path.starts_with('/')) path.insert(path.begin(), '/');
  if (path.find('?') != std::string::npos) return path;
  return path.append(target.substr(std::min(target.find('?'), target.size())));
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

Rewriter Rewriter::for_gateway_api(std::optional<std::string> full, std::optional<std::string> prefix,
                                   std::string authority) {
  Rewriter result;
  result.full_path_ = std::move(full);
  result.path_prefix_ = std::move(prefix);
  result.authority_ = std::move(authority);
  return result;
}

std::string Rewriter::target(std::string_view target, const StringMatcher* uri) const {
  if (full_path_) return replace_full_path(target, *full_path_);
  if (path_prefix_) return replace_path_prefix(target, uri, *path_prefix_, false);
  if (!uri_.empty()) return replace_matched_path(target, uri, uri_);
  if (regex_ == nullptr) return std::string(target);
  const size_t path_size = std::min(target.find('?'), target.size());
  std::string path(target.substr(0, path_size));
  re2::RE2::GlobalReplace(&path, *regex_, substitution_);
  return path.append(target.substr(path_size));
}

}  // namespace weir::routing
