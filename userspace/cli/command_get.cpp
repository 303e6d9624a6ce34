// weir get services|routes|splits|endpoints: what is live.

#include <fmt/format.h>

#include <functional>
#include <memory>

#include "base/nearest.h"
#include "cli/agent_client.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "cli/watch.h"

namespace weir::cli {
namespace {

struct Options {
  std::string noun, name;
};

constexpr const char* kExamples =
    "  weir get services                  every service port, its path and why\n"
    "  weir get splits reviews -w         intended and observed share, again each second\n"
    "  weir get endpoints -n prod -o json\n"
    "Short names: svc, rt (or vs), sp, ep\n";

std::string text(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string joined(const Json& list, const char* separator = ",") {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "" : separator) + item.get<std::string>();
  return out;
}

/// The part of a host that people say: "reviews" of "reviews.default.svc.cluster.local".
std::string short_name(const std::string& host) {
  const auto svc = host.find(".svc.");
  if (svc == std::string::npos) return host;
  return host.substr(0, host.find('.'));
}

std::string place(const Json& entry) {
  if (!entry.is_object() || text(entry, "file").empty()) return {};
  return fmt::format("{}:{}:{}", text(entry, "file"), text(entry, "line"), text(entry, "column"));
}

/// What the kernel counts of a service. The proxy's requests are not among it: `weir stat` has them.
std::string kernel_count(const Json& entry, const char* name) {
  std::string number = text(entry, name);
  return text(entry, "path") == "proxy" && number == "0" ? "-" : number;
}

Table services_table(const Json& list, bool wide) {
  std::vector<Table::Column> columns = {{"NAMESPACE"},       {"SERVICE"},      {"ADDRESS"},    {"PORT", true}, {"PATH"},
                                        {"ENDPOINTS", true}, {"PICKED", true}, {"OPEN", true}, {"REASON"}};
  if (wide) columns.insert(columns.end(), {{"HOST"}, {"PROTOCOL"}, {"FRONTENDS", true}});
  Table table(std::move(columns));
  for (const auto& entry : list) {
    std::vector<std::string> row = {text(entry, "namespace"),      short_name(text(entry, "service")),
                                    joined(entry["addresses"]),    text(entry, "port"),
                                    text(entry, "path"),           text(entry, "endpoints"),
                                    kernel_count(entry, "picked"), kernel_count(entry, "open"),
                                    text(entry, "reason")};
    if (wide)
      row.insert(row.end(),
                 {text(entry, "service"), text(entry, "protocol"), std::to_string(entry["frontends"].size())});
    table.add(std::move(row));
  }
  return table;
}

std::string destinations_text(const Json& list) {
  std::string out;
  for (const auto& destination : list) {
    const std::string subset = text(destination, "subset");
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", subset.empty() ? text(destination, "host") : subset,
                       text(destination, "weight"));
  }
  return out;
}

Table routes_table(const Json& list, bool wide) {
  std::vector<Table::Column> columns = {{"NAMESPACE"}, {"RULE"},   {"HOSTS"},       {"ROUTE", true},
                                        {"MATCH"},     {"ACTION"}, {"DESTINATIONS"}};
  if (wide) columns.insert(columns.end(), {{"PROTOCOL"}, {"NAME"}, {"GATEWAYS"}, {"PLACE"}});
  Table table(std::move(columns));
  for (const auto& entry : list) {
    std::vector<std::string> row = {text(entry, "namespace"),
                                    text(entry, "name"),
                                    joined(entry["hosts"]),
                                    text(entry, "index"),
                                    text(entry, "match"),
                                    text(entry, "action"),
                                    destinations_text(entry["destinations"])};
    if (wide)
      row.insert(row.end(), {text(entry, "protocol"), text(entry, "route"), joined(entry["gateways"]), place(entry)});
    table.add(std::move(row));
  }
  return table;
}

std::string rule_of(const Json& split) {
  const auto& rule = split["rule"];
  if (!rule.is_object() || rule.value("index", -1) < 0)
    return split["fallback"].get<bool>() ? "default (fallback)" : "default";
  std::string out = fmt::format("{}#{}", text(rule, "name"), text(rule, "index"));
  if (split["fallback"].get<bool>()) out += " (fallback)";
  return out;
}

Table splits_table(const Json& list, bool wide) {
  std::vector<Table::Column> columns = {{"SERVICE"},      {"RULE"},           {"DESTINATION"},
                                        {"WEIGHT", true}, {"INTENDED", true}, {"OBSERVED", true},
                                        {"PICKED", true}, {"OPEN", true},     {"ENDPOINTS", true}};
  if (wide) columns.insert(columns.end(), {{"SINCE CHANGE", true}, {"SPLIT"}, {"PLACE"}});
  Table table(std::move(columns));
  for (const auto& split : list) {
    for (const auto& destination : split["destinations"]) {
      const std::string subset = text(destination, "subset"), host = text(destination, "host");
      std::vector<std::string> row = {fmt::format("{}:{}", short_name(text(split, "service")), text(split, "port")),
                                      rule_of(split),
                                      subset.empty() ? short_name(host) : subset,
                                      text(destination, "weight"),
                                      percent(destination["intended"]),
                                      percent(destination["observed"]),
                                      text(destination, "picked"),
                                      text(destination, "open"),
                                      text(destination, "endpoints")};
      if (wide)
        row.insert(row.end(), {text(destination, "picked_since_change"), text(split, "name"), place(split["rule"])});
      table.add(std::move(row));
    }
  }
  return table;
}

Table endpoints_table(const Json& list, bool wide) {
  std::vector<Table::Column> columns = {{"NAMESPACE"}, {"SERVICE"}, {"PORT", true},   {"ENDPOINT"},  {"SUBSETS"},
                                        {"HEALTH"},    {"POD"},     {"PICKED", true}, {"OPEN", true}};
  if (wide) columns.insert(columns.end(), {{"WEIGHT", true}, {"HOST"}});
  Table table(std::move(columns));
  for (const auto& entry : list) {
    const std::string address = text(entry, "address");
    const bool v6 = address.find(':') != std::string::npos;
    std::vector<std::string> row = {
        text(entry, "namespace"),
        short_name(text(entry, "service")),
        text(entry, "service_port"),
        fmt::format("{}{}{}:{}", v6 ? "[" : "", address, v6 ? "]" : "", text(entry, "port")),
        joined(entry["subsets"]),
        entry["healthy"].get<bool>() ? "healthy" : "unhealthy",
        text(entry, "workload"),
        text(entry, "picked"),
        text(entry, "open")};
    if (wide) row.insert(row.end(), {text(entry, "weight"), text(entry, "service")});
    table.add(std::move(row));
  }
  return table;
}

Table gateways_table(const Json& list, bool /*wide*/) {
  Table table({{"PORT", true}, {"LISTENER", true}, {"PROTOCOL"}, {"OPEN"}, {"GATEWAYS"}});
  for (const auto& entry : list)
    table.add({text(entry, "port"), text(entry, "listener"), text(entry, "protocol"),
               entry["open"].get<bool>() ? "yes" : "no", joined(entry["gateways"])});
  return table;
}

struct Noun {
  const char* name;
  std::vector<std::string> aliases;
  Table (*table)(const Json& list, bool wide);
  /// For -o name.
  std::function<std::string(const Json& entry)> label;
};

const std::vector<Noun>& nouns() {
  static const auto kService = [](const Json& entry) {
    return "service/" + text(entry, "service") + ":" + text(entry, "port");
  };
  static const std::vector<Noun> kNouns = {
      {"services", {"service", "svc"}, &services_table, kService},
      {"routes",
       {"route", "rt", "vs", "virtualservices"},
       &routes_table,
       [](const Json& entry) {
         return fmt::format("virtualservice/{}/{}#{}", text(entry, "namespace"), text(entry, "name"),
                            text(entry, "index"));
       }},
      {"splits", {"split", "sp"}, &splits_table, [](const Json& entry) { return "split/" + text(entry, "name"); }},
      {"gateways",
       {"gateway", "gw"},
       &gateways_table,
       [](const Json& entry) { return "gateway/" + text(entry, "port"); }},
      {"endpoints",
       {"endpoint", "ep"},
       &endpoints_table,
       [](const Json& entry) {
         return fmt::format("endpoint/{}/{}:{}", text(entry, "service"), text(entry, "address"), text(entry, "port"));
       }},
  };
  return kNouns;
}

const Noun* find_noun(const std::string& word) {
  for (const auto& noun : nouns())
    if (noun.name == word || std::ranges::find(noun.aliases, word) != noun.aliases.end()) return &noun;
  return nullptr;
}

bool names(const Json& entry, const std::string& name) {
  const std::string host = text(entry, "service");
  if (host == name || short_name(host) == name || text(entry, "name") == name) return true;
  // "reviews.prod" and "reviews.prod.svc".
  return host.starts_with(name + ".");
}

/// Entries of that namespace and name.
Json filtered(const Json& list, const std::string& space, const std::string& name) {
  auto kept = Json::array();
  for (const auto& entry : list)
    if ((space.empty() || text(entry, "namespace") == space) && (name.empty() || names(entry, name)))
      kept.push_back(entry);
  return kept;
}

int show(Context& context, const Noun& noun, const std::string& name) {
  auto answer = ask(context, std::string("/") + noun.name);
  if (!answer.ok()) return answer.exit;
  const Json list = filtered(answer.json[noun.name], context.options.namespace_, name);
  if (context.machine_readable()) {
    answer.json[noun.name] = list;
    print(context, answer.json);
  } else if (context.options.format == Format::kName) {
    for (const auto& entry : list) context.out << noun.label(entry) << "\n";
  } else if (list.empty()) {
    context.err << "no " << noun.name << (name.empty() ? "" : " of " + name) << "\n";
  } else {
    print(context, noun.table(list, context.options.format == Format::kWide));
  }
  return kOk;
}

int get(Context& context, const Options& options) {
  const Noun* noun = find_noun(options.noun);
  if (noun == nullptr) {
    std::vector<std::string> known;
    for (const auto& candidate : nouns()) known.emplace_back(candidate.name);
    const std::string near = nearest(options.noun, known);
    return fail(context, kUsage, "there is no \"" + options.noun + "\" to get",
                near.empty() ? "services, routes, splits, gateways or endpoints" : "did you mean \"" + near + "\"?");
  }
  return show_or_watch(context, [&](Context& inner) { return show(inner, *noun, options.name); });
}

}  // namespace

void add_get(CommandTable& table) {
  auto options = std::make_shared<Options>();
  auto& command = table.add("get", "what is live: services, routes, splits, gateways, endpoints", kExamples,
                            [options](Context& context) { return get(context, *options); });
  command.add_option("noun", options->noun, "services, routes, splits, gateways or endpoints")
      ->required()
      ->type_name("NOUN");
  command.add_option("name", options->name, "only this service")->type_name("NAME");
}

}  // namespace weir::cli
