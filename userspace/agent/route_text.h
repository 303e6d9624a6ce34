#pragma once
// Rules in a reader's words, one line each: "header end-user exact jason", "v1 90, v2 10", "redirect".

#include <string>
#include <vector>

#include "config/model.h"

namespace weir::agent {

/// Matches of a route, alternatives joined by " or "; "any" without conditions.
std::string match_text(const config::HttpRoute& route);
std::string match_text(const config::L4Route& route);
/// "split", "redirect 301", "direct response 503", "delegate default/x", and what is done besides: "split, mirror,
/// fault".
std::string action_text(const config::HttpRoute& route);
/// "split", or "none" without destinations.
std::string split_text(const std::vector<config::WeightedDestination>& route);

}  // namespace weir::agent
