#include "cli/change_folder.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "cli/agent_client.h"
#include "cli/command_table.h"
#include "cli/output.h"

namespace weir::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::string canonical(const std::string& path) {
  std::error_code failed;
  const auto full = std::filesystem::canonical(path, failed);
  return failed ? path : full.string();
}

/// Whether the agent at the socket follows this very folder.
bool agent_follows(const Context& context, const std::string& folder) {
  const auto status = ask_quietly(context, "/status");
  if (!status) return false;
  const std::string followed = (*status)["config"].value("dir", "");
  if (canonical(followed) == canonical(folder)) return true;
  context.err << "weir: the agent follows " << followed << ", not " << folder << "\n";
  return false;
}

}  // namespace

void add_change_options(CLI::App& command, ChangeOptions& options, bool with_files) {
  if (with_files)
    command.add_option("-f,--filename", options.files, "files or folders, or - for standard input")
        ->required()
        ->type_name("FILE");
  command.add_option("--config", options.config, "the folder to change (the agent's)")->type_name("DIR");
  command.add_option("--timeout", options.timeout, "how long to wait for the agent")
      ->capture_default_str()
      ->type_name("TIME");
  command.add_flag("--dry-run", options.dry_run, "check and show, change nothing");
}

std::optional<FolderEdit> open_folder(Context& context, const ChangeOptions& options, int& exit) {
  std::string folder = options.config;
  if (folder.empty()) {
    const auto answer = ask(context, "/status");
    exit = answer.exit;
    if (!answer.ok()) return std::nullopt;
    folder = answer.json["config"].value("dir", "");
  }
  auto edit = FolderEdit::open(folder);
  if (edit) return std::move(*edit);
  exit = edit.error().code == EACCES ? fail(context, edit.error()) : fail(context, kUnreadable, edit.error().message);
  return std::nullopt;
}

std::optional<Loaded> read_files(Context& context, const ChangeOptions& options, int& exit) {
  Loaded loaded;
  if (options.files == std::vector<std::string>{"-"}) {
    add_text(loaded, "stdin.yaml", std::string(std::istreambuf_iterator<char>(context.in), {}));
  } else {
    auto read = load(options.files, false);
    if (!read) {
      exit = fail(context, kUnreadable, read.error().message);
      return std::nullopt;
    }
    loaded = std::move(*read);
  }
  const auto findings = loaded.store.diagnostics();
  for (const auto& finding : findings)
    if (finding.level == config::Level::kError && !context.machine_readable())
      context.err << config::to_text_with_source(finding, loaded.source_line(finding.file, finding.at.line)) << "\n";
    else if (finding.level == config::Level::kInfo)
      context.err << config::to_text(finding) << "\n";
  if (config::has_errors(findings)) {
    exit = fail(context, loaded.unreadable ? kUnreadable : kFindings, "nothing was changed: the input has errors");
    return std::nullopt;
  }
  if (loaded.store.objects().empty()) {
    exit = fail(context, kUnreadable, "the input has no object that Weir knows");
    return std::nullopt;
  }
  return loaded;
}

int check_edit(Context& context, const FolderEdit& edit) {
  const auto verdict = edit.check();
  for (const auto& error : verdict.errors)
    context.err << config::to_text_with_source(error, verdict.after.source_line(error.file, error.at.line)) << "\n";
  if (!verdict.errors.empty())
    return fail(context, kFindings, "nothing was changed: the agent would refuse the folder");
  for (const auto& error : verdict.elsewhere) context.err << config::to_text(error) << "\n";
  if (!verdict.elsewhere.empty())
    context.err << "weir: the agent refuses the folder as long as these errors are in it\n";
  for (const auto& warning : verdict.warnings)
    context.err << config::to_text_with_source(warning, verdict.after.source_line(warning.file, warning.at.line))
                << "\n";
  return kOk;
}

Taken write_and_wait(Context& context, const FolderEdit& edit, const ChangeOptions& options) {
  const auto timeout = parse_milliseconds(options.timeout, "s");
  if (!timeout) return {fail(context, kUsage, "--timeout " + timeout.error().message), {}};
  const bool followed = agent_follows(context, edit.folder());
  if (auto written = edit.write(); !written) return {fail(context, written.error()), {}};
  if (!followed) {
    context.err << "weir: written to " << edit.folder() << "; no agent that follows it was reached\n";
    return {};
  }
  const auto deadline = Clock::now() + std::chrono::milliseconds(*timeout);
  while (true) {
    const auto answer = reload(context);
    if (answer.accepted) return {kOk, answer.generation};
    if (answer.refused)
      return {fail(context, kError, "written, but the agent refuses the folder: " + answer.summary,
                   "weir status shows all of it; the last good configuration goes on"),
              answer.generation};
    if (Clock::now() >= deadline)
      return {fail(context, kTimedOut,
                   fmt::format("written, but the agent did not take it over within {}", options.timeout),
                   "weir status tells how it is"),
              {}};
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void print_changes(Context& context, const std::vector<ObjectChange>& changes, const Taken& taken, bool dry_run) {
  if (context.machine_readable()) {
    auto list = Json::array();
    for (const auto& change : changes)
      list.push_back({{"object", change.object}, {"change", to_string(change.what)}, {"file", change.file}});
    print(context, Json{{"objects", std::move(list)},
                        {"generation", taken.generation ? Json(*taken.generation) : Json(nullptr)},
                        {"dry_run", dry_run}});
    return;
  }
  for (const auto& change : changes)
    context.out << change.object << " " << to_string(change.what) << (dry_run ? " (dry run)" : "") << "\n";
  if (taken.generation) context.err << "generation " << *taken.generation << " is in the kernel\n";
}

}  // namespace weir::cli
