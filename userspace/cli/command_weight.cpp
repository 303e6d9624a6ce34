// weir weight SERVICE v2=90 v3=10: changes a split where the user wrote it.

#include <fmt/format.h>

#include <memory>

#include "cli/change_folder.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "cli/unified_diff.h"
#include "cli/weight_target.h"

namespace weir::cli {
namespace {

struct Options {
  ChangeOptions change;
  std::string service, route;
  std::vector<std::string> weights;
};

constexpr const char* kExamples =
    "  weir weight reviews v2=90 v3=10\n"
    "  weir weight reviews.prod v1=0 v2=100 --dry-run\n"
    "  weir weight reviews v1=50 v2=50 --route 1        the rule's second route\n";

/// The new text must say exactly what was asked for, and nothing else may have changed: an alias could have led
/// elsewhere.
Result<void> verify(const FolderEdit& edit, const WeightTarget& target, const Options& options,
                    const std::string& space) {
  const auto after = file_table(edit.check().after.store);
  std::vector<Assignment> wanted;
  for (const auto& change : target.changes) wanted.push_back({change.destination, static_cast<uint32_t>(change.after)});
  const auto found = find_weight_target(*after, options.service, space, std::to_string(target.route.index), wanted);
  if (!found) return Error{"the weights cannot be changed in place: " + found.error().message};
  if (!found->edits.empty()) return Error{"the weights cannot be changed in place (an alias?): change them by hand"};
  return {};
}

int changed_elsewhere(const FolderEdit& edit, const WeightTarget& target) {
  // Weights are whole numbers on lines of their own or inside one: every other line must be as before.
  const auto edits = edit.edits();
  const auto found = edits.find(target.route.file);
  if (found == edits.end()) return 0;
  const std::string diff = unified_diff(found->second.before, found->second.after, "a", "b");
  int added = 0;
  for (size_t at = diff.find("\n+"); at != std::string::npos; at = diff.find("\n+", at + 1)) ++added;
  return added - 1 > static_cast<int>(target.edits.size()) ? added : 0;  // one "+" is the header's
}

void show(Context& context, const WeightTarget& target, const Taken& taken, bool dry_run) {
  const auto& route = target.route;
  if (context.machine_readable()) {
    auto list = Json::array();
    for (const auto& change : target.changes)
      list.push_back({{"destination", change.destination}, {"before", change.before}, {"after", change.after}});
    print(context, Json{{"rule", {{"kind", route.kind}, {"namespace", route.namespace_}, {"name", route.name}}},
                        {"route", route.index},
                        {"file", route.file},
                        {"changes", std::move(list)},
                        {"generation", taken.generation ? Json(*taken.generation) : Json(nullptr)},
                        {"dry_run", dry_run}});
    return;
  }
  context.out << fmt::format("{} {}/{}, {} route {} ({}:{}){}\n", route.kind, route.namespace_, route.name,
                             target.protocol, route.index, route.file, route.at.line, dry_run ? " (dry run)" : "");
  for (const auto& change : target.changes)
    context.out << fmt::format("  {}  {} -> {}\n", change.destination, change.before, change.after);
  if (taken.generation) context.err << "generation " << *taken.generation << " is in the kernel\n";
}

int change_weights(Context& context, const Options& options) {
  const auto assignments = parse_assignments(options.weights);
  if (!assignments) return fail(context, kUsage, assignments.error().message);
  int exit = kOk;
  auto edit = open_folder(context, options.change, exit);
  if (!edit) return exit;
  const std::string space = context.options.namespace_.empty() ? "default" : context.options.namespace_;
  const auto table = file_table(edit->before().store);
  const auto target = find_weight_target(*table, options.service, space, options.route, *assignments);
  if (!target) return fail(context, kError, target.error().message);

  const std::string& file = target->route.file;
  const auto text = edit_weights(edit->text(file), target->edits);
  if (!text) return fail(context, kError, file + ": " + text.error().message);
  edit->set_text(file, *text);
  if (const auto good = verify(*edit, *target, options, space); !good)
    return fail(context, kError, good.error().message);
  if (changed_elsewhere(*edit, *target) > 0)
    return fail(context, kError, file + ": the weights cannot be changed in place: change them by hand");
  if (const int code = check_edit(context, *edit); code != kOk) return code;
  Taken taken;
  if (!options.change.dry_run && !target->edits.empty()) taken = write_and_wait(context, *edit, options.change);
  if (taken.exit != kOk) return taken.exit;
  show(context, *target, taken, options.change.dry_run);
  return kOk;
}

}  // namespace

void add_weight(CommandTable& table) {
  auto options = std::make_shared<Options>();
  auto& command = table.add("weight", "change a split where it is written", kExamples,
                            [options](Context& context) { return change_weights(context, *options); });
  command.add_option("service", options->service, "name or host")->required()->type_name("SERVICE");
  command.add_option("weights", options->weights, "destinations by subset, or by host without one")
      ->required()
      ->type_name("SUBSET=WEIGHT");
  command.add_option("--route", options->route, "name or number of the rule's route, where several fit")
      ->type_name("ROUTE");
  add_change_options(command, options->change, false);
}

}  // namespace weir::cli
