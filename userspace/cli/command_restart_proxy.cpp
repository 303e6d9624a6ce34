// weir restart-proxy: a new proxy takes over, the old one ends its connections.

#include <fmt/format.h>

#include "cli/agent_client.h"
#include "cli/command_table.h"

namespace weir::cli {
namespace {

int restart_proxy(Context& context) {
  const auto answer = ask(context, "/proxy/restart", Json::object());
  if (!answer.ok()) return answer.exit;
  if (context.machine_readable())
    print(context, answer.json);
  else
    context.err << fmt::format("proxy {} has taken over from {}, which drains\n", answer.json["new_pid"].dump(),
                               answer.json["old_pid"].dump());
  return kOk;
}

}  // namespace

void add_restart_proxy(CommandTable& table) {
  table.add("restart-proxy", "put a new proxy in place of the running one, without a failed request",
            "  weir restart-proxy\n", &restart_proxy);
}

}  // namespace weir::cli
