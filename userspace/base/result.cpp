#include "base/result.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace weir {

Error errno_error(std::string_view what) {
  return errno_error(what, errno);
}

Error errno_error(std::string_view what, int error_number) {
  const int code = std::abs(error_number);
  return Error{std::string(what) + ": " + std::generic_category().message(code), code};
}

}  // namespace weir
