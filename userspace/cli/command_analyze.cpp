// weir analyze PATH…: what is wrong with files, without an agent or a cluster.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <tuple>

#include "cli/command_table.h"
#include "cli/offline.h"
#include "cli/output.h"
#include "config/analysis.h"

namespace weir::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  bool recursive = false, verbose = false;
};

constexpr const char* kExamples =
    "  weir analyze config/            every file of a folder\n"
    "  weir analyze -R samples/ -v     folders below too; each object, accepted or refused\n"
    "  kubectl get vs,dr -o yaml | weir analyze -\n";

const char* word_of(config::Level level) {
  static constexpr const char* kWords[] = {"Info", "Warning", "Error"};
  return kWords[static_cast<size_t>(level)];
}

config::Diagnostics all_findings(const Loaded& loaded) {
  config::Diagnostics findings = loaded.store.diagnostics();
  const auto table = file_table(loaded.store);
  // What a later look says of a place counts only where those before have not said it.
  const auto add = [&findings](const config::Diagnostics& more) {
    std::set<std::tuple<std::string, uint32_t, std::string>> known;
    for (const auto& one : findings) known.emplace(one.file, one.at.line, one.code);
    for (const auto& finding : more)
      if (!known.contains({finding.file, finding.at.line, finding.code})) findings.push_back(finding);
  };
  auto objects = loaded.store.objects();
  for (auto& rejected : loaded.store.rejected()) objects.push_back(std::move(rejected));
  add(config::analyze(objects, loaded.store.mesh()));
  add(table->conditions());
  std::ranges::stable_sort(findings, [](const auto& a, const auto& b) {
    return std::tie(a.file, a.at.line, a.at.column) < std::tie(b.file, b.at.line, b.at.column);
  });
  return findings;
}

Json finding_json(const config::Diagnostic& finding) {
  Json json = {{"code", finding.code},
               {"level", word_of(finding.level)},
               {"origin", finding.object},
               {"reference", finding.at.line > 0 ? fmt::format("{}:{}", finding.file, finding.at.line) : finding.file},
               {"message", finding.message},
               {"file", finding.file},
               {"line", finding.at.line},
               {"column", finding.at.column},
               {"hint", finding.hint}};
  if (finding.code.starts_with("IST")) {
    std::string page = finding.code;
    std::ranges::transform(page, page.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    json["documentationUrl"] = "https://istio.io/latest/docs/reference/config/analysis/" + page + "/";
  }
  return json;
}

std::string painted(const Context& context, const config::Diagnostic& finding, std::string text) {
  const std::string word = fmt::format("{} [{}]", word_of(finding.level), finding.code);
  const auto at = text.find(word);
  if (at == std::string::npos || finding.level == config::Level::kInfo) return text;
  const Tint tint = finding.level == config::Level::kError ? Tint::kBad : Tint::kWarn;
  return text.replace(at, word.size(), tinted(context, tint, word));
}

/// Each object that was read, and each that was not because of an error in it.
void print_objects(Context& context, const Loaded& loaded, const config::Diagnostics& findings) {
  std::set<std::string> accepted;
  for (const auto& object : loaded.store.objects()) {
    const auto& meta = config::metadata(*object);
    accepted.insert(meta.describe());
    context.out << fmt::format("{}:{}:{}: accepted {}\n", meta.file, meta.at.line, meta.at.column, meta.describe());
  }
  std::set<std::string> refused;
  for (const auto& finding : findings)
    if (finding.level == config::Level::kError && !finding.object.empty() && !accepted.contains(finding.object) &&
        refused.insert(finding.object).second)
      context.out << fmt::format("{}:{}:{}: refused {}\n", finding.file, finding.at.line, finding.at.column,
                                 finding.object);
}

std::string counted(size_t number, const char* what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

void print_summary(Context& context, const Loaded& loaded, const config::Diagnostics& findings) {
  const auto count = [&findings](config::Level level) {
    return static_cast<size_t>(std::ranges::count(findings, level, &config::Diagnostic::level));
  };
  const size_t errors = count(config::Level::kError), warnings = count(config::Level::kWarning);
  const std::string read =
      fmt::format("{} in {}", counted(loaded.store.objects().size(), "object"), counted(loaded.files, "file"));
  if (errors == 0 && warnings == 0)
    context.err << tinted(context, Tint::kGood, "✔") << " no problems found: " << read << "\n";
  else
    context.err << fmt::format("{}, {}: {}\n", counted(errors, "error"), counted(warnings, "warning"), read);
}

Result<Loaded> read_input(Context& context, const Options& options) {
  if (options.paths != std::vector<std::string>{"-"}) return load(options.paths, options.recursive);
  Loaded loaded;
  add_text(loaded, "stdin", std::string(std::istreambuf_iterator<char>(context.in), {}));
  return loaded;
}

int analyze(Context& context, const Options& options) {
  const auto loaded = read_input(context, options);
  if (!loaded) return fail(context, kUnreadable, loaded.error().message);
  const auto findings = all_findings(*loaded);
  if (context.machine_readable()) {
    auto list = Json::array();
    for (const auto& finding : findings) list.push_back(finding_json(finding));
    print(context, list);
  } else {
    for (const auto& finding : findings) {
      const auto line = loaded->source_line(finding.file, finding.at.line);
      context.out << painted(context, finding, config::to_text_with_source(finding, line)) << "\n";
    }
    if (options.verbose) print_objects(context, *loaded, findings);
    print_summary(context, *loaded, findings);
  }
  if (loaded->unreadable) return kUnreadable;
  return config::has_errors(findings) ? kFindings : kOk;
}

}  // namespace

void add_analyze(CommandTable& table) {
  auto options = std::make_shared<Options>();
  auto& command = table.add("analyze", "check files: what is wrong, where, and what would be right", kExamples,
                            [options](Context& context) { return analyze(context, *options); });
  command.add_option("paths", options->paths, "files and folders, or - for standard input")
      ->required()
      ->type_name("PATH");
  command.add_flag("-R,--recursive", options->recursive, "folders below as well");
  command.add_flag("-v,--verbose", options->verbose, "each object, accepted or refused");
}

}  // namespace weir::cli
