#pragma once
// Where in the user's configuration a thing was decided.

#include <string>

#include "config/diagnostic.h"

namespace weir::routing {

struct Origin {
  std::string kind, namespace_, name;  // "VirtualService", "default", "reviews"; empty kind: nowhere
  std::string route;                   // the route's name, may be empty
  int index = -1;                      // of the route in its list
  std::string file;
  config::Position at;
  bool operator==(const Origin&) const = default;

  /// "reviews.yaml:12:5".
  [[nodiscard]] std::string place() const {
    return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
  }
  /// How logs and counters call a route: its name, else "reviews#0".
  [[nodiscard]] std::string route_name() const { return route.empty() ? name + "#" + std::to_string(index) : route; }
};

}  // namespace weir::routing
