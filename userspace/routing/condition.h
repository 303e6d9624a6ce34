#pragma once
// A finding about an object of the user's, as plans and tables tell it.

#include <string>

#include "config/diagnostic.h"
#include "routing/plan/plan.h"

namespace weir::routing {

/// `at`: where in the origin's file, if not where the origin itself begins.
config::Diagnostic condition(config::Level level, const char* code, const Origin& origin, std::string message,
                             config::Position at = {});

}  // namespace weir::routing
