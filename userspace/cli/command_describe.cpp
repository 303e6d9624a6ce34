// weir describe service NAME: all about one service on one page.

#include <fmt/format.h>

#include <memory>

#include "cli/agent_client.h"
#include "cli/command_table.h"
#include "cli/run.h"

namespace weir::cli {
namespace {

struct Options {
  std::string noun, name;
};

/// One part of the page: what `weir get NOUN NAME` prints, below a title.
int part(Context& context, const char* title, const char* noun, const std::string& name) {
  std::vector<const char*> arguments = {"weir", "get", noun, name.c_str(), "--socket"};
  const std::string socket = context.socket_path();
  arguments.push_back(socket.c_str());
  if (!context.options.namespace_.empty()) {
    arguments.push_back("-n");
    arguments.push_back(context.options.namespace_.c_str());
  }
  context.out << title << "\n";
  const int code = run(static_cast<int>(arguments.size()), arguments.data(), context.out, context.err);
  context.out << "\n";
  return code;
}

int describe_json(Context& context, const std::string& name) {
  Json page = Json::object();
  for (const char* noun : {"services", "routes", "splits", "endpoints"}) {
    auto answer = ask(context, std::string("/") + noun);
    if (!answer.ok()) return answer.exit;
    auto list = Json::array();
    for (const auto& entry : answer.json[noun]) {
      const auto host = entry.value("service", std::string());
      const bool right_space =
          context.options.namespace_.empty() || entry.value("namespace", std::string()) == context.options.namespace_;
      if (right_space && (host == name || host.starts_with(name + "."))) list.push_back(entry);
    }
    page[noun] = std::move(list);
  }
  print(context, page);
  return kOk;
}

int describe(Context& context, const Options& options) {
  if (options.noun != "service" && options.noun != "svc" && options.noun != "services")
    return fail(context, kUsage, "there is no \"" + options.noun + "\" to describe", "weir describe service NAME");
  if (context.machine_readable()) return describe_json(context, options.name);
  static constexpr std::pair<const char*, const char*> kParts[] = {
      {"Service", "services"}, {"Rules", "routes"}, {"Splits", "splits"}, {"Endpoints", "endpoints"}};
  for (const auto& [title, noun] : kParts)
    if (const int code = part(context, title, noun, options.name); code != kOk) return code;
  return kOk;
}

}  // namespace

void add_describe(CommandTable& table) {
  auto options = std::make_shared<Options>();
  auto& command = table.add("describe", "all about one service", "  weir describe service reviews\n",
                            [options](Context& context) { return describe(context, *options); });
  command.add_option("noun", options->noun, "service")->required()->type_name("service");
  command.add_option("name", options->name, "its name or host")->required()->type_name("NAME");
}

}  // namespace weir::cli
