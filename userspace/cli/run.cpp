#include "cli/run.h"

#include <unistd.h>

#include <charconv>
#include <iostream>
#include <map>
#include <sstream>

#include "agent/node/run_dir.h"
#include "base/nearest.h"
#include "cli/command_table.h"
#include "datapath/datapath.h"

namespace weir::cli {
namespace {

const std::map<std::string, Format>& formats() {
  static const std::map<std::string, Format> kFormats = {{"table", Format::kTable},
                                                         {"wide", Format::kWide},
                                                         {"name", Format::kName},
                                                         {"json", Format::kJson},
                                                         {"yaml", Format::kYaml}};
  return kFormats;
}

void add_global_options(CLI::App& app, GlobalOptions& options) {
  options.run_dir = agent::kDefaultRunDir;
  options.bpffs = datapath::kDefaultBpffsDir;
  app.add_option_function<std::string>(
         "-o,--output",
         [&options](const std::string& name) {
           const auto found = formats().find(name);
           const std::string wrong = "\"" + name + "\" is not one of table, wide, name, json, yaml";
           if (found == formats().end()) throw CLI::ValidationError("-o", wrong);  // border: CLI11
           options.format = found->second;
         },
         "table, wide, name, json or yaml")
      ->type_name("FORMAT");
  app.add_option("-n,--namespace", options.namespace_, "only this namespace")->type_name("NAME");
  app.add_flag("-w,--watch", options.watch, "show again whenever it changes");
  app.add_flag("--no-headers", options.no_headers, "tables without their first line");
  app.add_option("--color", options.color, "always, never or auto")
      ->check(CLI::IsMember({"always", "never", "auto"}))
      ->type_name("WHEN");
  app.add_option("--run-dir", options.run_dir, "the agent's directory")->type_name("DIR")->capture_default_str();
  app.add_option("--socket", options.socket, "the agent's socket (RUN_DIR/weir.sock)")->type_name("PATH");
  app.add_option("--bpffs", options.bpffs, "where the maps are pinned")->type_name("DIR")->capture_default_str();
}

void add_commands(CommandTable& table) {
  for (const auto add : {&add_agent, &add_analyze, &add_explain, &add_get, &add_describe, &add_status, &add_stat,
                         &add_check, &add_apply, &add_delete, &add_diff, &add_weight, &add_maps, &add_restart_proxy,
                         &add_uninstall, &add_version, &add_completion, &add_proxy})
    add(table);
}

std::vector<std::string> names_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

/// The words that nobody knew, looked at from the innermost command that was chosen.
int unknown_words(Context& context, const CLI::App& app, const std::string& plain_message) {
  const CLI::App* inner = &app;
  while (!inner->get_subcommands().empty()) inner = inner->get_subcommands().front();
  const auto words = app.remaining(true);
  const std::string word = words.empty() ? "" : words.front();
  const auto known = names_of(*inner);
  if (word.empty() || word.front() == '-' || known.empty())
    return fail(context, kUsage, word.empty() ? plain_message : "unknown option or argument \"" + word + "\"",
                "weir " + (inner == &app ? "" : inner->get_name() + " ") + "--help lists what there is");
  const std::string near = nearest(word, known);
  return fail(context, kUsage, "unknown command \"" + word + "\"",
              near.empty() ? "weir --help lists the commands" : "did you mean \"" + near + "\"?");
}

/// -o json counts even where the rest of the line cannot be understood.
Format format_wanted(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool next_is_json = i + 1 < argc && std::string_view(argv[i + 1]) == "json";
    if (word == "-ojson" || word == "--output=json" || ((word == "-o" || word == "--output") && next_is_json))
      return Format::kJson;
  }
  return Format::kTable;
}

int parse_and_run(CLI::App& app, const CommandTable& table, Context& context, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // border: CLI11; --help
    app.exit(wanted, context.out, context.err);
    return kOk;
  } catch (const CLI::ExtrasError& error) {  // border: CLI11
    context.options.format = format_wanted(argc, argv);
    return unknown_words(context, app, error.what());
  } catch (const CLI::ParseError& error) {  // border: CLI11
    context.options.format = format_wanted(argc, argv);
    return fail(context, kUsage, error.what(), "weir --help, weir COMMAND --help");
  }
  if (table.chosen()) return table.chosen()(context);
  context.err << app.help();
  return kUsage;
}

}  // namespace

CLI::App& CommandTable::add(const std::string& name, const std::string& help, const std::string& examples, Run run) {
  return add(app_, name, help, examples, std::move(run));
}

CLI::App& CommandTable::add(CLI::App& parent, const std::string& name, const std::string& help,
                            const std::string& examples, Run run) {
  CLI::App& command = *parent.add_subcommand(name, help);
  command.fallthrough();
  command.footer(examples.empty() ? "" : "Examples:\n" + examples);
  // The innermost comes first: "maps dump" before "maps".
  command.final_callback([this, run = std::move(run)] {
    if (!chosen_) chosen_ = run;
  });
  return command;
}

Result<int64_t> parse_milliseconds(const std::string& text, const std::string& bare) {
  static const std::map<std::string, int64_t> kUnits = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  constexpr int64_t kMost = 24LL * 3'600'000;
  int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(end, text.data() + text.size());
  if (unit.empty()) unit = bare;
  const auto found = kUnits.find(unit);
  if (problem != std::errc() || found == kUnits.end() || number < 0 || number > kMost / found->second)
    return Error{"\"" + text + "\" is not a time; write for example 200ms, 5s or 2m (at most 24h)"};
  return number * found->second;
}

int run(int argc, const char* const* argv, std::istream& in, std::ostream& out, std::ostream& err) {
  CLI::App app{"Weir splits a service's connections between its versions, in the kernel, as Istio's YAML says.",
               "weir"};
  app.set_help_all_flag("--help-all", "the help of every command");
  app.footer(
      "Exit codes: 0 ok, 1 error, 64 usage, 65 unreadable input, 69 agent unreachable, 77 no permission,\n"
      "79 analysis found errors, 124 a wait ran out. Start with: weir analyze DIR; weir agent --config DIR");
  Context context{in, out, err, &out == &std::cout && ::isatty(STDOUT_FILENO) != 0, {}};
  add_global_options(app, context.options);
  CommandTable table(app);
  add_commands(table);
  app.require_subcommand(0, 1);
  return parse_and_run(app, table, context, argc, argv);
}

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  std::istringstream nothing;
  return run(argc, argv, nothing, out, err);
}

}  // namespace weir::cli
