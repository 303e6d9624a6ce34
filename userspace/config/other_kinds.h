#pragma once
// Istio's kinds that Weir does not read: what its admission would refuse of them, beyond their CRDs (schema.h), and
// what it means for the traffic that nobody reads them. Rules: istio/istio pkg/config/validation.

#include <string_view>

#include "config/read.h"

namespace weir::config {

struct OtherKind {
  std::string_view name;
  /// A warning's words, where traffic is let through or left as it is although the object asks for something else;
  /// empty: its absence is nothing to act on.
  std::string_view missed;
  void (*check)(Fields& spec);  // may be null
  bool spec_required;           // without one its admission refuses it
};

/// nullptr: none of Istio's.
const OtherKind* find_other_kind(std::string_view name);

void check_authorization_policy(Fields& spec);
void check_request_authentication(Fields& spec);
void check_sidecar(Fields& spec);
void check_workload_group(Fields& spec);
void check_envoy_filter(Fields& spec);
/// `targetRef` and `targetRefs`: what policies may be attached to.
void check_target_refs(Fields& spec);

}  // namespace weir::config
