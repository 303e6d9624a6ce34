#pragma once
// Whether the kernel's maps say of one service what the plan says: the last line of `weir explain`. Pure.

#include <string>
#include <vector>

#include "datapath/maps_view.h"
#include "routing/table.h"

namespace weir::agent {

struct KernelCheck {
  /// One line an entry: "frontends 10.0.0.1:9080/tcp -> split 3".
  std::vector<std::string> entries;
  /// What is not as planned, a line each; empty: the kernel agrees.
  std::vector<std::string> differences;
};

/// `service` fully qualified. A service without a rule must not be in the maps.
KernelCheck check_kernel(const routing::Table& table, const std::string& service, uint16_t port,
                         const datapath::MapsView& maps);

}  // namespace weir::agent
