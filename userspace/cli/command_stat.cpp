// weir stat: what each version gets and how it does, between two looks.

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>

#include "cli/agent_client.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "cli/rates.h"
#include "cli/watch.h"

namespace weir::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string name, window = "1s";
};

/// What was counted when it was last looked.
struct Look {
  Json services;
  Clock::time_point at;
};

constexpr const char* kExamples =
    "  weir stat                  every version: weight, share, rate, success, latency\n"
    "  weir stat reviews -w       again each second\n"
    "  weir stat --window 10s -o json\n";

std::string text(const Json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string number(const Json& row, const char* key, int digits) {
  const auto found = row.find(key);
  return found != row.end() && found->is_number() ? fmt::format("{:.{}f}", found->get<double>(), digits) : "";
}

std::string short_name(const std::string& host) {
  return host.find(".svc.") == std::string::npos ? host : host.substr(0, host.find('.'));
}

std::string version_of(const Json& row) {
  const std::string subset = text(row, "subset"), host = text(row, "host");
  if (!subset.empty()) return subset;
  return host.empty() ? "(weir itself)" : short_name(host);
}

Table to_table(const Json& services, bool wide) {
  std::vector<Table::Column> columns = {{"SERVICE"},      {"RULE"},         {"VERSION"},     {"WEIGHT", true},
                                        {"SHARE", true},  {"RATE/S", true}, {"UNIT"},        {"SUCCESS", true},
                                        {"P50 MS", true}, {"P95 MS", true}, {"P99 MS", true}};
  if (wide) columns.insert(columns.end(), {{"TOTAL", true}, {"OPEN", true}, {"RETRIES", true}, {"PATH"}});
  Table table(std::move(columns));
  for (const auto& row : services) {
    std::vector<std::string> cells = {fmt::format("{}:{}", short_name(text(row, "service")), text(row, "port")),
                                      text(row, "rule"),
                                      version_of(row),
                                      text(row, "weight"),
                                      percent(row["share"]),
                                      number(row, "rate", 1),
                                      text(row, "unit"),
                                      row.contains("success_rate") ? percent(row["success_rate"]) : "",
                                      number(row, "p50_ms", 1),
                                      number(row, "p95_ms", 1),
                                      number(row, "p99_ms", 1)};
    if (wide)
      cells.insert(cells.end(), {text(row, "total"), text(row, "open"), text(row, "retries"), text(row, "path")});
    table.add(std::move(cells));
  }
  return table;
}

bool wanted(const Json& row, const std::string& space, const std::string& name) {
  const std::string host = text(row, "service");
  if (!space.empty() && text(row, "namespace") != space) return false;
  return name.empty() || host == name || short_name(host) == name || host.starts_with(name + ".");
}

Json filtered(const Json& services, const std::string& space, const std::string& name) {
  Json kept = Json::array();
  for (const auto& row : services)
    if (wanted(row, space, name)) kept.push_back(row);
  return kept;
}

int show(Context& context, const Options& options, std::chrono::milliseconds window, std::optional<Look>& last) {
  if (!last) {
    auto first = ask(context, "/stat");
    if (!first.ok()) return first.exit;
    last = Look{std::move(first.json["services"]), Clock::now()};
    std::this_thread::sleep_for(window);
  }
  auto answer = ask(context, "/stat");
  if (!answer.ok()) return answer.exit;
  const auto now = Clock::now();
  const double seconds = std::max(std::chrono::duration<double>(now - last->at).count(), 0.001);
  const Json rates = add_rates(last->services, answer.json["services"], seconds);
  last = Look{std::move(answer.json["services"]), now};
  const Json services = filtered(rates, context.options.namespace_, options.name);
  if (const std::string error = text(answer.json, "error"); !error.empty())
    context.err << "weir: nothing is known of the proxy's requests: " << error << "\n";
  if (context.machine_readable()) {
    answer.json["window_s"] = seconds;
    answer.json["services"] = services;
    print(context, answer.json);
  } else if (services.empty()) {
    context.err << "no split service" << (options.name.empty() ? "" : " " + options.name) << "\n";
  } else {
    print(context, to_table(services, context.options.format == Format::kWide));
  }
  return kOk;
}

int stat(Context& context, const Options& options) {
  const auto window = parse_milliseconds(options.window);
  if (!window || *window == 0)
    return fail(context, kUsage, "--window " + (window ? "must not be 0" : window.error().message));
  auto last = std::make_shared<std::optional<Look>>();
  return show_or_watch(
      context, [&, last](Context& inner) { return show(inner, options, std::chrono::milliseconds(*window), *last); });
}

}  // namespace

void add_stat(CommandTable& table) {
  auto options = std::make_shared<Options>();
  auto& command = table.add("stat", "per version: weight, share, rate, success, latency", kExamples,
                            [options](Context& context) { return stat(context, *options); });
  command.add_option("service", options->name, "only this service")->type_name("SERVICE");
  command.add_option("--window", options->window, "time between the two looks")
      ->capture_default_str()
      ->type_name("TIME");
}

}  // namespace weir::cli
