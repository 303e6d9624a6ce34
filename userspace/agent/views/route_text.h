#pragma once
// Rules in a reader's words, one line each: `header end-user exact "jason"`, "split, mirror", "redirect 301".

#include <string>

#include "routing/rule/rule.h"

namespace weir::agent {

/// Matches of a rule, alternatives joined by " or "; "any" without conditions.
std::string match_text(const routing::HttpRule& rule);
std::string match_text(const routing::L4Rule& rule);
/// "split", "redirect 301", "direct response 503", and what is done besides: "split, mirror, fault".
std::string action_text(const routing::HttpRule& rule);
/// "split", or "none" without destinations.
std::string action_text(const routing::L4Rule& rule);

}  // namespace weir::agent
