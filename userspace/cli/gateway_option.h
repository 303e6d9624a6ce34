#pragma once
// --gateway: whose part is played.

#include <string_view>

#include "base/result.h"
#include "routing/build/table_builder.h"

namespace weir::cli {

/// "[NAMESPACE/]NAME": the Gateway API's Gateway of that name, of namespace default unless given.
/// "[NAMESPACE/]LABEL=VALUE,…": pods with these labels, which Istio's Gateways select; of istio-system unless given.
Result<routing::GatewayIdentity> read_gateway(std::string_view text);

}  // namespace weir::cli
