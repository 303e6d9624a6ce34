#pragma once
// What all objects have: a place for every value, metadata. Include config/model.h.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "config/diagnostic.h"

namespace weir::config {

/// A scalar and where it stands.
template <class T>
struct Located {
  T value{};
  Position at;
};

using Labels = std::map<std::string, std::string>;
using Duration = std::chrono::nanoseconds;

/// A share in steps of 0.0001 %: 1'000'000 is all. Range 0..1'000'000.
struct Percent {
  uint32_t parts_per_million = 0;
  Position at;
};

/// What of each there is to know beside its name: config/kinds.h.
enum class Kind {
  kVirtualService,
  kDestinationRule,
  kGateway,
  kServiceEntry,
  kWorkloadEntry,
  kService,
  kEndpoints,
  kEndpointSlice,
  kPod,
  kNamespace,
  kGatewayClass,
  kGatewayApiGateway,
  kListenerSet,
  kHttpRoute,
  kGrpcRoute,
  kTcpRoute,
  kTlsRoute,
  kUdpRoute,
  kReferenceGrant,
  kBackendTlsPolicy,
};
/// "VirtualService". "Gateway" is the name of two.
std::string_view to_string(Kind kind);

struct Metadata {
  Kind kind{};
  std::string api_version;
  std::string name;
  std::string namespace_;  // "default" where the file has none; empty where the kind is of the whole cluster
  std::string uid, resource_version;
  int64_t generation = 0;  // metadata.generation; 0: none
  Labels labels;
  Labels annotations;
  std::map<std::string, Position> annotations_at;
  /// Seconds since the epoch. Absent in the file: 2024-01-01T00:00:00Z, so that age order is the same everywhere.
  int64_t creation_timestamp = 1704067200;
  /// As given by the user; of an API server's object "VirtualService/default/reviews@1234" and positions of 0.
  std::string file;
  Position at;       // of the object's first key
  Position name_at;  // of metadata.name's value
  /// Of the document that the object was read from and its place there: equal for equal text. 0: unknown.
  uint64_t fingerprint = 0;
  /// "VirtualService default/reviews".
  [[nodiscard]] std::string describe() const;
};

}  // namespace weir::config
