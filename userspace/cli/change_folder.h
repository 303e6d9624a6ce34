#pragma once
// What apply, delete and weight share: which folder, the check before, the writing, the wait for the agent.

#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/folder_edit.h"

namespace CLI {
class App;
}

namespace weir::cli {

struct ChangeOptions {
  std::vector<std::string> files;  // -f
  std::string config;              // empty: the agent is asked
  std::string timeout = "10s";
  bool dry_run = false;
};

/// --config, --timeout, --dry-run; with `with_files`, -f.
void add_change_options(CLI::App& command, ChangeOptions& options, bool with_files);

/// The folder to change, opened. Nothing: what went wrong has been said, and `exit` is set.
std::optional<FolderEdit> open_folder(Context& context, const ChangeOptions& options, int& exit);
/// The files of -f, or standard input for "-". Nothing: as above.
std::optional<Loaded> read_files(Context& context, const ChangeOptions& options, int& exit);

/// Says what an agent would refuse (then kFindings), and warnings that are new.
int check_edit(Context& context, const FolderEdit& edit);

/// What came of a change, for -o json.
struct Taken {
  int exit = kOk;
  std::optional<uint64_t> generation;  // absent: no agent follows the folder
};
/// Writes, then waits until the agent has taken the folder over.
Taken write_and_wait(Context& context, const FolderEdit& edit, const ChangeOptions& options);

/// One line an object: "virtualservice/reviews configured".
void print_changes(Context& context, const std::vector<ObjectChange>& changes, const Taken& taken, bool dry_run);

}  // namespace weir::cli
