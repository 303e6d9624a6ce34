#include "routing/condition.h"

#include <utility>

namespace weir::routing {

config::Diagnostic condition(config::Level level, const char* code, const Origin& origin, std::string message,
                             config::Position at) {
  config::Diagnostic diagnostic;
  diagnostic.level = level;
  diagnostic.code = code;
  diagnostic.message = std::move(message);
  diagnostic.file = origin.file;
  diagnostic.at = at.line == 0 ? origin.at : at;
  diagnostic.object = origin.kind + " " + origin.namespace_ + "/" + origin.name;
  return diagnostic;
}

}  // namespace weir::routing
