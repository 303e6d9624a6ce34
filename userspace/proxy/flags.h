#pragma once
// Why a request ended as it did: Envoy's response flags, which Istio's users know from its access log.

#include <cstdint>
#include <string>

namespace weir::proxy {

// name, text, meaning
#define WEIR_FLAGS(X)                                                                   \
  X(kDelayInjected, "DI", "delayed by a fault")                                         \
  X(kFaultInjected, "FI", "aborted by a fault")                                         \
  X(kNoRoute, "NR", "no rule takes the request")                                        \
  X(kNoCluster, "NC", "the destination's host, port or subset does not exist")          \
  X(kNoHealthyEndpoint, "UH", "the destination has no endpoint that may get traffic")   \
  X(kRetriesUsedUp, "URX", "all retries were used up")                                  \
  X(kConnectFailure, "UF", "no connection to the endpoint")                             \
  X(kEndpointClosed, "UC", "the endpoint closed the connection before it had answered") \
  X(kTimeout, "UT", "the route's timeout ran out")                                      \
  X(kOverflow, "UO", "a limit of the connection pool was reached")                      \
  X(kEndpointProtocol, "UPE", "the endpoint's answer is no valid HTTP")                 \
  X(kIdleTimeout, "SI", "nothing moved for too long")                                   \
  X(kClientClosed, "DC", "the client went away")                                        \
  X(kClientProtocol, "DPE", "the client's request is no valid HTTP")                    \
  X(kLoop, "LOOP", "the request has passed too many of our proxies")

enum Flag : uint32_t {
#define WEIR_FLAG_BIT(name, text, meaning) name##Number,
  WEIR_FLAGS(WEIR_FLAG_BIT)
#undef WEIR_FLAG_BIT
      kFlagCount,
#define WEIR_FLAG_VALUE(name, text, meaning) name = 1U << name##Number,
  WEIR_FLAGS(WEIR_FLAG_VALUE)
#undef WEIR_FLAG_VALUE
};

/// "UF", "NR" ...; precondition: number < kFlagCount.
const char* flag_text(uint32_t number);
/// "URX,UC"; "-" for none.
std::string to_text(uint32_t flags);

}  // namespace weir::proxy
