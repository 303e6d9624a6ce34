#pragma once
// Client classes: clients that no rule tells apart. A class is a namespace and the values of the labels that rules
// name.

#include <string>

#include "routing/client.h"
#include "routing/table.h"

namespace weir::routing {

/// The same for clients of one class, and only for these.
std::string class_name(const Table& table, const Client& client);

}  // namespace weir::routing
