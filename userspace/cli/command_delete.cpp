// weir delete -f FILE: takes the objects that FILE names out of the watched folder, whichever files hold them.

#include <algorithm>
#include <memory>

#include "cli/change_folder.h"
#include "cli/command_table.h"

namespace weir::cli {
namespace {

int remove(Context& context, const ChangeOptions& options) {
  int exit = kOk;
  const auto input = read_files(context, options, exit);
  if (!input) return exit;
  auto edit = open_folder(context, options, exit);
  if (!edit) return exit;
  const auto changes = edit->remove(*input);
  if (!changes) return fail(context, kError, changes.error().message);
  if (const int code = check_edit(context, *edit); code != kOk) return code;
  Taken taken;
  if (!options.dry_run) taken = write_and_wait(context, *edit, options);
  if (taken.exit != kOk) return taken.exit;
  print_changes(context, *changes, taken, options.dry_run);
  // As kubectl: what was to be deleted and was not there is an error.
  return std::ranges::count(*changes, ObjectChange::What::kNotFound, &ObjectChange::what) > 0 ? kError : kOk;
}

}  // namespace

void add_delete(CommandTable& table) {
  auto options = std::make_shared<ChangeOptions>();
  auto& command =
      table.add("delete", "take objects out of the agent's folder", "  weir delete -f virtual-service-all-v1.yaml\n",
                [options](Context& context) { return remove(context, *options); });
  add_change_options(command, *options, true);
}

}  // namespace weir::cli
