#pragma once
// http[].corsPolicy, compiled (semantics 1.2, istio-facts 34). Immutable; any thread.

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "routing/rule/match.h"

namespace weir::routing {

class CorsPolicy {
 public:
  enum class Verdict {
    kPass,    // to the endpoint; the response gets `response_headers`
    kAnswer,  // a preflight: 200 with `response_headers`, the endpoint does not see it
  };
  struct Outcome {
    Verdict verdict = Verdict::kPass;
    std::vector<std::pair<std::string, std::string>> response_headers;  // to set
  };

  /// Errors: an unreadable regex.
  static Result<CorsPolicy> compile(const config::CorsPolicy& policy);

  /// Origins are compared with case; exact "*" allows each. An OPTIONS request without Access-Control-Request-Method is
  /// no preflight.
  [[nodiscard]] Outcome decide(const RequestView& request) const;

 private:
  [[nodiscard]] bool allows(std::string_view origin) const;

  std::vector<StringMatcher> origins_;
  std::string methods_, headers_, exposed_, max_age_;
  bool credentials_ = false, ignore_unmatched_ = false;
};

}  // namespace weir::routing
