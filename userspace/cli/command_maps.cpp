// weir maps [dump [NAME]]: what the kernel's maps hold, read from their pins: with or without an agent.

#include <fmt/format.h>

#include <cerrno>
#include <functional>
#include <memory>

#include "agent/views/views.h"
#include "base/nearest.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "datapath/datapath.h"

namespace weir::cli {
namespace {

struct Options {
  std::string name;
};

using datapath::MapsView;

Json frontends(const MapsView& maps) {
  auto list = Json::array();
  for (const auto& frontend : maps.frontends)
    list.push_back({{"address", frontend.address.to_string()},
                    {"port", frontend.port},
                    {"protocol", frontend.protocol},
                    {"source", frontend.source},
                    {"split", frontend.split},
                    {"proxy_port", frontend.proxy_port},
                    {"refuse_without_proxy", frontend.refuse_without_proxy}});
  return list;
}

Json splits(const MapsView& maps) {
  auto list = Json::array();
  for (const auto& split : maps.splits) {
    auto destinations = Json::array();
    for (const auto& destination : split.destinations)
      destinations.push_back({{"label", destination.label},
                              {"share", destination.share},
                              {"endpoints", destination.endpoints.size()},
                              {"picked", destination.counts.picked}});
    list.push_back({{"id", split.id},
                    {"name", split.name},
                    {"generation", split.generation},
                    {"fallback", split.fallback},
                    {"cursor", split.cursor},
                    {"destinations", std::move(destinations)}});
  }
  return list;
}

Json endpoints(const MapsView& maps) {
  auto list = Json::array();
  for (const auto& split : maps.splits)
    for (const auto& destination : split.destinations)
      for (const auto& endpoint : destination.endpoints) {
        Json entry = {{"split", split.id},
                      {"destination", destination.label},
                      {"address", endpoint.address.to_string()},
                      {"port", endpoint.port},
                      {"share", endpoint.share}};
        entry.update(agent::counts_json(endpoint.counts));
        list.push_back(std::move(entry));
      }
  return list;
}

Json sources(const MapsView& maps) {
  auto list = Json::array();
  for (const auto& [cookie, source] : maps.sources) list.push_back({{"netns_cookie", cookie}, {"source", source}});
  return list;
}

Json proxy_ports(const MapsView& maps) {
  auto list = Json::array();
  for (const auto& port : maps.proxy.ports)
    list.push_back({{"port", port.port},
                    {"address", port.address.to_string()},
                    {"frontend_port", port.frontend_port},
                    {"outside", port.outside},
                    {"unused_since_ns", port.unused_since_ns}});
  return list;
}

Json meta(const MapsView& maps) {
  return Json::array({{{"abi", maps.abi},
                       {"generation", maps.generation},
                       {"node", maps.node},
                       {"written_at_ns", maps.written_at_ns}}});
}

struct Dump {
  const char* name;
  Json (*make)(const MapsView& maps);
};

constexpr Dump kDumps[] = {{"frontends", &frontends},         {"splits", &splits},
                           {"endpoints", &endpoints},         {"sources", &sources},
                           {"proxy_ports", &proxy_ports},     {"verdicts", &agent::verdicts_json},
                           {"packets", &agent::packets_json}, {"meta", &meta}};

/// Lists of flat objects as a table; what is nested, as JSON.
void print_list(Context& context, const Json& list) {
  if (list.empty()) {
    context.err << "empty\n";
    return;
  }
  std::vector<Table::Column> columns;
  for (const auto& [key, value] : list.front().items()) {
    std::string header = key;
    for (char& c : header) c = c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    columns.push_back({header, value.is_number()});
  }
  Table table(std::move(columns));
  for (const auto& entry : list) {
    std::vector<std::string> row;
    for (const auto& [key, value] : entry.items()) {
      if (key == "share")
        row.push_back(percent(value));
      else
        row.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    }
    table.add(std::move(row));
  }
  print(context, table);
}

Result<MapsView> read(Context& context, int& exit) {
  auto maps = datapath::read_maps(context.options.bpffs);
  if (!maps && maps.error().code == ENOENT)
    exit = fail(context, kError, "no maps are pinned at " + context.options.bpffs, "say where they are with --bpffs");
  else if (!maps)
    exit = fail(context, maps.error());
  return maps;
}

int usage(Context& context) {
  int exit = kOk;
  const auto maps = read(context, exit);
  if (!maps) return exit;
  if (context.machine_readable()) {
    print(context,
          Json{{"generation", maps->generation}, {"maps", agent::maps_json(*maps)}, {"problems", maps->problems}});
    return kOk;
  }
  Table table({{"NAME"},
               {"TYPE"},
               {"ID", true},
               {"USED", true},
               {"CAPACITY", true},
               {"FULL", true},
               {"KEY", true},
               {"VALUE", true}});
  for (const auto& map : maps->usage)
    table.add({map.name, map.type, std::to_string(map.id), std::to_string(map.used), std::to_string(map.capacity),
               map.capacity > 0 ? percent(static_cast<double>(map.used) / static_cast<double>(map.capacity)) : "-",
               std::to_string(map.key_size), std::to_string(map.value_size)});
  print(context, table);
  for (const auto& problem : maps->problems) context.err << "problem: " << problem << "\n";
  return kOk;
}

int dump_all(Context& context, const MapsView& maps) {
  if (!context.machine_readable()) {
    context.out << datapath::to_text(maps);
    return kOk;
  }
  Json all = Json::object();
  for (const auto& dump : kDumps) all[dump.name] = dump.make(maps);
  print(context, all);
  return kOk;
}

int dump(Context& context, const Options& options) {
  const Dump* chosen = nullptr;
  std::vector<std::string> known;
  for (const auto& candidate : kDumps) {
    known.emplace_back(candidate.name);
    if (options.name == candidate.name) chosen = &candidate;
  }
  if (chosen == nullptr && !options.name.empty()) {
    const std::string near = nearest(options.name, known);
    return fail(context, kUsage, "there is no map \"" + options.name + "\" to dump",
                near.empty() ? "frontends, splits, endpoints, sources, proxy_ports, verdicts, packets or meta"
                             : "did you mean \"" + near + "\"?");
  }
  int exit = kOk;
  const auto maps = read(context, exit);
  if (!maps) return exit;
  if (chosen == nullptr) return dump_all(context, *maps);
  const Json list = chosen->make(*maps);
  if (context.machine_readable())
    print(context, list);
  else
    print_list(context, list);
  return kOk;
}

}  // namespace

void add_maps(CommandTable& table) {
  auto& command = table.add("maps", "how full the kernel's maps are", "  weir maps\n  weir maps dump frontends\n",
                            [](Context& context) { return usage(context); });
  auto options = std::make_shared<Options>();
  auto& sub =
      table.add(command, "dump", "what they hold", "", [options](Context& context) { return dump(context, *options); });
  sub.add_option("name", options->name,
                 "frontends, splits, endpoints, sources, proxy_ports, verdicts, packets or meta; all without")
      ->type_name("NAME");
}

}  // namespace weir::cli
