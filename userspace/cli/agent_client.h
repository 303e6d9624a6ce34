#pragma once
// Questions to the running agent, with its silence and its refusals turned into this program's exit codes.

#include <optional>
#include <string>

#include "cli/context.h"
#include "cli/output.h"

namespace weir::cli {

struct AgentAnswer {
  int exit = kOk;
  Json json;  // when exit is kOk
  [[nodiscard]] bool ok() const { return exit == kOk; }
};

/// What went wrong has been said (fail()) when the answer is not ok().
AgentAnswer ask(Context& context, const std::string& path);
AgentAnswer ask(Context& context, const std::string& path, const Json& body);

/// Says nothing: for commands that can do without an agent. Nothing when none answers.
std::optional<Json> ask_quietly(const Context& context, const std::string& path);

/// Has the agent read its folder now. Neither accepted nor refused: it was not reached, or too busy to answer.
struct ReloadAnswer {
  bool accepted = false;  // the kernel has it
  bool refused = false;   // the folder has errors, or the kernel no room
  uint64_t generation = 0;
  std::string summary;  // why refused
};
ReloadAnswer reload(const Context& context);

}  // namespace weir::cli
