#pragma once
// Filters of Gateway API rules and backends: what they come to together (semantics 2.1 Filters).

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "routing/build/route_rules.h"
#include "routing/rule/rule.h"

namespace weir::routing {

struct RouteFilters {
  config::Headers headers;  // values escaped: the Gateway API's are literal
  std::optional<Redirect> redirect;
  std::shared_ptr<const Rewriter> rewrite;
  std::shared_ptr<const CorsPolicy> cors;
  std::vector<RuleMirror> mirrors;
  /// A filter that nobody here carries out: requests must not go on without it. Empty: none.
  std::string cannot;
};

/// What is left out goes into the context's conditions and into `left_out`, which readers of a decision are shown.
RouteFilters compile_filters(const std::vector<config::gateway_api::Filter>& written, RouteContext& context,
                             std::vector<std::string>& left_out);

}  // namespace weir::routing
