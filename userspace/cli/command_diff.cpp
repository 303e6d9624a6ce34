// weir diff -f FILE: what `weir apply` would change, in the files and in the routing.

#include <memory>
#include <sstream>

#include "cli/change_folder.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "cli/unified_diff.h"
#include "routing/plan/plan.h"

namespace weir::cli {
namespace {

constexpr const char* kExamples = "  weir diff -f reviews-v2.yaml      exit code 0: nothing differs, 1: it differs\n";

/// diff's own: 0 the same, 1 differs, more is an error.
enum { kSame = 0, kDiffers = 1, kTrouble = 2 };

std::string plan_text(const Loaded& loaded) {
  std::istringstream lines(routing::to_text(*file_table(loaded.store)->plan));
  std::string text;
  for (std::string line; std::getline(lines, line);)
    // The count of builds says nothing here.
    if (!line.starts_with("generation")) text += line + "\n";
  return text;
}

std::string painted(const Context& context, const std::string& diff) {
  if (!use_color(context)) return diff;
  std::istringstream lines(diff);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const bool minus = line.starts_with('-'), plus = line.starts_with('+');
    out += (minus ? tinted(context, Tint::kBad, line) : plus ? tinted(context, Tint::kGood, line) : line) + "\n";
  }
  return out;
}

int show(Context& context, const FolderEdit& edit) {
  const auto edits = edit.edits();
  std::string files;
  for (const auto& [name, change] : edits)
    files += unified_diff(change.before, change.after, change.existed ? "a/" + name : "/dev/null",
                          change.removes() ? "/dev/null" : "b/" + name);
  std::string routing;
  if (!edits.empty())
    routing = unified_diff(plan_text(edit.before()), plan_text(edit.check().after), "routing now", "routing then");
  if (context.machine_readable()) {
    auto names = Json::array();
    for (const auto& [name, change] : edits) names.push_back(name);
    print(context, Json{{"differs", !edits.empty()}, {"files", names}, {"diff", files}, {"routing", routing}});
  } else {
    context.out << painted(context, files) << painted(context, routing);
  }
  return edits.empty() ? kSame : kDiffers;
}

/// 1 means that it differs, so an error must not be 1.
int trouble(int exit) {
  return exit == kError ? static_cast<int>(kTrouble) : exit;
}

int diff(Context& context, const ChangeOptions& options) {
  int exit = kOk;
  const auto input = read_files(context, options, exit);
  if (!input) return trouble(exit);
  auto edit = open_folder(context, options, exit);
  if (!edit) return trouble(exit);
  if (const auto changes = edit->put(*input); !changes) {
    fail(context, kError, changes.error().message);
    return kTrouble;
  }
  return show(context, *edit);
}

}  // namespace

void add_diff(CommandTable& table) {
  auto options = std::make_shared<ChangeOptions>();
  auto& command = table.add("diff", "what apply would change", kExamples,
                            [options](Context& context) { return diff(context, *options); });
  command.add_option("-f,--filename", options->files, "files or folders, or - for standard input")
      ->required()
      ->type_name("FILE");
  command.add_option("--config", options->config, "the folder to compare with (the agent's)")->type_name("DIR");
}

}  // namespace weir::cli
