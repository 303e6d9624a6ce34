// weir apply -f FILE: takes objects into the watched folder.

#include <memory>

#include "cli/change_folder.h"
#include "cli/command_table.h"

namespace weir::cli {
namespace {

constexpr const char* kExamples =
    "  weir apply -f reviews-v2.yaml\n"
    "  kubectl get vs reviews -o yaml | weir apply -f -\n"
    "  weir apply -f rules/ --config DIR --dry-run\n";

int apply(Context& context, const ChangeOptions& options) {
  int exit = kOk;
  const auto input = read_files(context, options, exit);
  if (!input) return exit;
  auto edit = open_folder(context, options, exit);
  if (!edit) return exit;
  const auto changes = edit->put(*input);
  if (!changes) return fail(context, kError, changes.error().message);
  if (const int code = check_edit(context, *edit); code != kOk) return code;
  Taken taken;
  if (!options.dry_run) taken = write_and_wait(context, *edit, options);
  if (taken.exit != kOk) return taken.exit;
  print_changes(context, *changes, taken, options.dry_run);
  return kOk;
}

}  // namespace

void add_apply(CommandTable& table) {
  auto options = std::make_shared<ChangeOptions>();
  auto& command = table.add("apply", "take objects into the agent's folder", kExamples,
                            [options](Context& context) { return apply(context, *options); });
  add_change_options(command, *options, true);
}

}  // namespace weir::cli
