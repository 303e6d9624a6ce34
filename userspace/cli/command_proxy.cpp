// weir proxy: what the agent starts; of no use by hand.

#include <fcntl.h>

#include <memory>

#include "cli/command_table.h"
#include "proxy_process/process.h"

namespace weir::cli {
namespace {

int run_proxy(Context& context, const proxy_process::ProcessOptions& options) {
  if (::fcntl(options.control_fd, F_GETFD) < 0)
    return fail(context, kUsage, "weir proxy is started by weir agent, which speaks with it over a descriptor");
  return proxy_process::run_process(options);
}

}  // namespace

void add_proxy(CommandTable& table) {
  auto options = std::make_shared<proxy_process::ProcessOptions>();
  auto& command = table.add("proxy", "carry requests for an agent (started by it)", "",
                            [options](Context& context) { return run_proxy(context, *options); });
  command.group("");  // not in the list of commands
  command.add_option("--control-fd", options->control_fd, "the control socket")->capture_default_str();
  command.add_option("--agent-uid", options->agent_uid, "whose connections are taken")->capture_default_str();
}

}  // namespace weir::cli
