#pragma once
// What only all objects together show: references to what nobody defines, rules that are never used, hosts with two
// owners. Codes and texts are those of `istioctl analyze` (its analyzers are the source of each rule), with the column
// and a hint added.
//
// Pure. A finding means that something will not work as written; where a reference is fine nothing is said.

#include <vector>

#include "config/diagnostic.h"
#include "config/model.h"

namespace weir::config {

/// Findings in the order of the objects, then of their places. `objects` may hold rejected ones as well
/// (Store::rejected()), so that one fault does not show as many.
[[nodiscard]] Diagnostics analyze(const std::vector<ObjectPtr>& objects, const MeshConfig& mesh);

/// "reviews" -> "reviews.default.svc.cluster.local", with the namespace of the object that says so; a name with a dot,
/// a wildcard and an IP address stay as they are. Lower case, without trailing dot.
[[nodiscard]] std::string full_host(std::string_view host, std::string_view namespace_, const MeshConfig& mesh);

}  // namespace weir::config
