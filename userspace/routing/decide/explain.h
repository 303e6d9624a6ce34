#pragma once
// One question to the table: which rule, split, subset and endpoints for this client and this request, and why.
// Pure. The JSON form is the stable shape of `weir explain -o json` (design section 7).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "routing/client.h"
#include "routing/plan/plan.h"
#include "routing/rule/header_operations.h"
#include "routing/table.h"

namespace weir::routing {

struct DecisionEndpoint {
  IpAddress address;
  uint16_t port = 0;
  uint32_t weight = 1;
};

using ResponseEffect = HeaderEffect;
/// What the endpoint gets to see.
struct RequestEffect : HeaderEffect {
  std::string path, host;
  bool operator==(const RequestEffect&) const = default;
};

struct DecisionDestination {
  std::string host;
  uint16_t port = 0;
  std::string subset;
  uint64_t weight = 0;
  double share = 0;
  bool exists = true;                       // false: unknown host, port or subset: 503 for its share
  std::vector<DecisionEndpoint> endpoints;  // only those that may get traffic
  /// Set only where the route's destinations do not all have the same effect.
  std::optional<RequestEffect> request;
  std::optional<ResponseEffect> response;
  std::optional<std::string> redirect;  // where its share is sent to instead
};

enum class Action { kSplit, kRedirect, kDirectResponse, kAbort, kNoRoute, kDefault };
std::string_view to_string(Action action);

struct Decision {
  std::string service;  // empty: unknown host
  uint16_t port = 0;
  Path path = Path::kNone;
  std::string reason;
  std::optional<Origin> rule;
  Action action = Action::kDefault;
  std::optional<int> status;  // known only when the answer does not come from an endpoint
  std::vector<DecisionDestination> destinations;

  /// As the first destination would have it; see DecisionDestination for where they differ.
  std::optional<RequestEffect> request;
  std::optional<ResponseEffect> response;
  std::optional<int64_t> timeout_ms;
  struct Retries {
    uint32_t attempts;
    std::string on;
    bool operator==(const Retries&) const = default;
  };
  std::optional<Retries> retries;
  struct MirrorTo {
    std::string host;
    uint16_t port;
    std::string subset;
    double share;
  };
  std::vector<MirrorTo> mirrors;
  struct Fault {
    int64_t delay_ms = 0;
    double delay_share = 0;
    int abort_status = 0;
    double abort_share = 0;
  };
  std::optional<Fault> fault;
  std::optional<std::string> redirect;  // location

  /// The chain of reasoning for a reader, a line a step: each rule tried and why it did or did not match, with
  /// file:line.
  std::vector<std::string> steps;
};

Decision explain(const Table& table, const Client& client, const Request& request);

}  // namespace weir::routing
