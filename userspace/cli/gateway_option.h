#pragma once
// --gateway: whose part is played; and labels, as options have them.

#include <string_view>

#include "base/result.h"
#include "routing/build/table_builder.h"

namespace weir::cli {

/// "LABEL=VALUE,…", blanks around each left out; empty: none.
Result<config::Labels> read_labels(std::string_view text);

/// "[NAMESPACE/]NAME": the Gateway API's Gateway of that name, of namespace default unless given.
/// "[NAMESPACE/]LABEL=VALUE,…": pods with these labels, which Istio's Gateways select; of istio-system unless given.
Result<routing::GatewayIdentity> read_gateway(std::string_view text);

}  // namespace weir::cli
