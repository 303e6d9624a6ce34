#include "cli/context.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "agent/node/run_dir.h"

namespace weir::cli {

std::string Context::socket_path() const {
  return options.socket.empty() ? agent::socket_path(options.run_dir) : options.socket;
}

int fail(Context& context, Exit code, std::string_view message, std::string_view hint) {
  if (context.options.format == Format::kJson) {
    nlohmann::ordered_json json = {{"error", message}, {"hint", hint}, {"code", static_cast<int>(code)}};
    context.out << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return code;
  }
  context.err << "weir: " << message << "\n";
  if (!hint.empty()) context.err << "hint: " << hint << "\n";
  return code;
}

int fail(Context& context, const Error& error) {
  if (error.code == EPERM || error.code == EACCES)
    return fail(context, kNoPermission, error.message, "run it as root, or with the rights that `weir check` lists");
  return fail(context, kError, error.message);
}

}  // namespace weir::cli
