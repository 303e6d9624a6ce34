// weir uninstall: removes every trace from the kernel.

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "agent/node/run_dir.h"
#include "agent/proxy/uninstall.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "datapath/datapath.h"

namespace weir::cli {
namespace {

/// The agent's own files; the directory goes when nothing else is in it.
void remove_run_dir(const std::string& run_dir) {
  std::error_code ignored;
  std::filesystem::remove(agent::socket_path(run_dir), ignored);
  std::filesystem::remove(agent::note_path(run_dir), ignored);
  std::filesystem::remove(agent::cache_path(run_dir), ignored);
  std::filesystem::remove(run_dir + "/.objects.cache", ignored);  // of an agent that was killed while it wrote
  std::filesystem::remove(run_dir + "/access.log", ignored);
  std::filesystem::remove(run_dir + "/agent.lock", ignored);
  std::filesystem::remove(run_dir, ignored);
}

/// Where the agent that ran last had its hooks.
std::string last_cgroup(const std::string& run_dir) {
  std::ifstream file(agent::note_path(run_dir));
  const Json note = Json::parse(file, nullptr, false);
  return note.is_object() ? note.value("cgroup", "") : "";
}

int uninstall(Context& context) {
  const std::string& run_dir = context.options.run_dir;
  {
    // Held while the pins go, so that no agent starts in between.
    std::error_code failed;
    const bool has_run_dir = std::filesystem::is_directory(run_dir, failed);
    auto lock = has_run_dir ? agent::RunDir::take(run_dir) : Result<agent::RunDir>(Error{});
    if (has_run_dir && !lock && lock.error().code == EBUSY)
      return fail(context, kError, lock.error().message, "systemctl stop weir, or kill it, then try again");
    const auto removed = datapath::uninstall(context.options.bpffs);
    if (!removed && removed.error().code == EBUSY)
      return fail(context, kError, removed.error().message, "stop the agent first");
    if (!removed) return fail(context, removed.error());
    // Nobody is sent to the proxy any more; those who are there may end what they do.
    constexpr auto kPatience = std::chrono::seconds(5);
    const size_t proxies = agent::end_proxies(run_dir, last_cgroup(run_dir), kPatience);
    if (context.machine_readable())
      print(context, Json{{"removed", *removed}, {"bpffs", context.options.bpffs}, {"proxies", proxies}});
    else if (*removed == 0)
      context.err << "nothing was there: " << context.options.bpffs << "\n";
    else
      context.err << fmt::format("removed {} pins below {}; connections are no longer split\n", *removed,
                                 context.options.bpffs);
  }
  remove_run_dir(run_dir);
  return kOk;
}

}  // namespace

void add_uninstall(CommandTable& table) {
  table.add("uninstall", "remove every link, program and map from the kernel", "  weir uninstall\n",
            [](Context& context) { return uninstall(context); });
}

}  // namespace weir::cli
