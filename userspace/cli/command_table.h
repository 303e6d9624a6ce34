#pragma once
// The table of commands: each file of this folder named command_* adds its own, with options, help and what it runs.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/context.h"

namespace weir::cli {

class CommandTable {
 public:
  using Run = std::function<int(Context& context)>;
  explicit CommandTable(CLI::App& app) : app_(app) {}

  /// Adds "weir NAME"; `run` is called when it was chosen and its options were read. `examples` stand at the end of its
  /// help.
  CLI::App& add(const std::string& name, const std::string& help, const std::string& examples, Run run);
  /// Adds "weir PARENT NAME".
  CLI::App& add(CLI::App& parent, const std::string& name, const std::string& help, const std::string& examples,
                Run run);

  /// Of the chosen command; empty when none was.
  [[nodiscard]] const Run& chosen() const { return chosen_; }

 private:
  CLI::App& app_;
  Run chosen_;
};

// One a file.
void add_agent(CommandTable& table);
void add_analyze(CommandTable& table);
void add_apply(CommandTable& table);
void add_check(CommandTable& table);
void add_completion(CommandTable& table);
void add_delete(CommandTable& table);
void add_describe(CommandTable& table);
void add_diff(CommandTable& table);
void add_explain(CommandTable& table);
void add_get(CommandTable& table);
void add_maps(CommandTable& table);
void add_proxy(CommandTable& table);
void add_restart_proxy(CommandTable& table);
void add_stat(CommandTable& table);
void add_status(CommandTable& table);
void add_uninstall(CommandTable& table);
void add_version(CommandTable& table);
void add_weight(CommandTable& table);

/// "200ms", "5s", "2m"; a bare number is in `bare`. An error names what is wrong.
Result<int64_t> parse_milliseconds(const std::string& text, const std::string& bare = "ms");

}  // namespace weir::cli
