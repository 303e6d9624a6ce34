#pragma once
// Gateways, compiled. Only for build/.

#include <memory>

#include "config/model.h"
#include "routing/table.h"

namespace weir::routing {

std::shared_ptr<const Gateway> compile_gateway(const config::Gateway& written);

}  // namespace weir::routing
