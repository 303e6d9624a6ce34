#include "routing/rule/cors.h"

#include <algorithm>
#include <chrono>

namespace weir::routing {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ",") + word;
  return result;
}

}  // namespace

Result<CorsPolicy> CorsPolicy::compile(const config::CorsPolicy& policy) {
  CorsPolicy result;
  for (const config::StringMatch& origin : policy.allow_origins) {
    config::StringMatch match = origin;
    if (match.type == config::StringMatch::Type::kExact && match.value == "*") match = {};
    auto compiled = StringMatcher::compile(match);
    if (!compiled) return std::move(compiled).error().context("corsPolicy.allowOrigins");
    result.origins_.push_back(std::move(compiled).value());
  }
  result.methods_ = joined(policy.allow_methods);
  result.headers_ = joined(policy.allow_headers);
  result.exposed_ = joined(policy.expose_headers);
  if (policy.max_age) {
    result.max_age_ = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(*policy.max_age).count());
  }
  result.credentials_ = policy.allow_credentials.value_or(false);
  result.ignore_unmatched_ = policy.unmatched_preflights == config::CorsPolicy::UnmatchedPreflights::kIgnore;
  return result;
}

bool CorsPolicy::allows(std::string_view origin) const {
  return std::ranges::any_of(origins_, [&](const StringMatcher& allowed) { return allowed.matches(origin); });
}

CorsPolicy::Outcome CorsPolicy::decide(const RequestView& request) const {
  Outcome outcome;
  const HeaderField* origin = find_header(request.headers, "origin");
  if (origin == nullptr || origin->value.empty()) return outcome;
  const HeaderField* wanted = find_header(request.headers, "access-control-request-method");
  const bool preflight = request.method == "OPTIONS" && wanted != nullptr && !wanted->value.empty();
  const bool allowed = allows(origin->value);
  if (preflight && (allowed || ignore_unmatched_)) outcome.verdict = Verdict::kAnswer;
  if (!allowed) return outcome;

  const auto set = [&](const char* name, std::string value) {
    if (!value.empty()) outcome.response_headers.emplace_back(name, std::move(value));
  };
  set("access-control-allow-origin", std::string(origin->value));
  if (credentials_) set("access-control-allow-credentials", "true");
  set("access-control-expose-headers", exposed_);
  if (!preflight) return outcome;
  // To credentials "*" is no wildcard (Fetch 3.3.3): what is asked for is named.
  const HeaderField* headers = find_header(request.headers, "access-control-request-headers");
  const bool name_headers = credentials_ && headers_ == "*" && headers != nullptr;
  set("access-control-allow-methods", credentials_ && methods_ == "*" ? std::string(wanted->value) : methods_);
  set("access-control-allow-headers", name_headers ? std::string(headers->value) : headers_);
  set("access-control-max-age", max_age_);
  return outcome;
}

}  // namespace weir::routing
