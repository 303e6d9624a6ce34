#include "cli/explain_text.h"

#include <fmt/format.h>

namespace weir::cli {
namespace {

constexpr size_t kMostEndpoints = 6;

std::string text(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string line(const char* what, const std::string& value) {
  return fmt::format("{:<11}{}\n", what, value);
}

std::string rule_text(const Json& rule) {
  if (rule.is_null()) return "none";
  std::string out = fmt::format("{} {}/{}", text(rule, "kind"), text(rule, "namespace"), text(rule, "name"));
  if (rule["index"].get<int>() >= 0) out += fmt::format(", route {}", rule["index"].get<int>());
  if (!text(rule, "route").empty()) out += " \"" + text(rule, "route") + "\"";
  if (!text(rule, "file").empty())
    out += fmt::format(" ({}:{}:{})", text(rule, "file"), rule["line"].get<int>(), rule["column"].get<int>());
  return out;
}

std::string path_text(const Json& decision) {
  static constexpr std::pair<const char*, const char*> kMeanings[] = {
      {"kernel", "kernel, per connection"}, {"proxy", "proxy, per request"}, {"none", "none, left alone"}};
  const std::string path = text(decision, "path"), reason = text(decision, "reason");
  std::string out = path;
  for (const auto& [name, meaning] : kMeanings)
    if (path == name) out = meaning;
  return reason.empty() ? out : out + " (" + reason + ")";
}

std::string endpoints_text(const Json& endpoints) {
  if (endpoints.empty()) return "none: this share is refused";
  std::string out;
  for (size_t i = 0; i < endpoints.size() && i < kMostEndpoints; ++i) {
    const std::string address = text(endpoints[i], "address");
    const bool v6 = address.find(':') != std::string::npos;
    out += fmt::format("{}{}{}{}:{}", i > 0 ? ", " : "", v6 ? "[" : "", address, v6 ? "]" : "",
                       endpoints[i]["port"].get<int>());
  }
  if (endpoints.size() > kMostEndpoints) out += fmt::format(" and {} more", endpoints.size() - kMostEndpoints);
  return out;
}

std::string destinations_text(const Json& destinations, const std::optional<Drawn>& drawn) {
  std::vector<Table::Column> columns = {{"DESTINATION"}, {"SUBSET"}, {"PORT", true}, {"WEIGHT", true}, {"SHARE", true}};
  if (drawn) columns.push_back({"DRAWN", true});
  columns.push_back({"ENDPOINTS"});
  Table table(std::move(columns));
  for (size_t i = 0; i < destinations.size(); ++i) {
    const auto& destination = destinations[i];
    std::vector<std::string> cells = {
        text(destination, "host"), text(destination, "subset"), std::to_string(destination["port"].get<int>()),
        std::to_string(destination["weight"].get<uint64_t>()), percent(destination["share"])};
    if (drawn) cells.push_back(i < drawn->picked.size() ? std::to_string(drawn->picked[i]) : "-");
    cells.push_back(endpoints_text(destination["endpoints"]));
    table.add(std::move(cells));
  }
  return table.to_text(true);
}

std::string headers_text(const Json& headers) {
  std::string out;
  for (const char* what : {"set", "add"})
    for (const auto& [name, value] : headers[what].items())
      out += fmt::format("{}{} {}: {}", out.empty() ? "" : "; ", what, name, value.get<std::string>());
  for (const auto& name : headers["remove"])
    out += fmt::format("{}remove {}", out.empty() ? "" : "; ", name.get<std::string>());
  return out;
}

/// What happens to the request besides being sent somewhere.
std::string effects_text(const Json& decision) {
  std::string out;
  if (const auto& request = decision["request"]; request.is_object()) {
    out += line("request", fmt::format("path {}, host {}", text(request, "path"), text(request, "host")));
    if (const auto headers = headers_text(request["headers"]); !headers.empty()) out += line("", headers);
  }
  if (const auto& response = decision["response_headers"]; response.is_object())
    if (const auto headers = headers_text(response); !headers.empty()) out += line("response", headers);
  if (decision["timeout_ms"].is_number()) out += line("timeout", decision["timeout_ms"].dump() + " ms");
  if (const auto& retries = decision["retries"]; retries.is_object())
    out += line("retries", fmt::format("{} on {}", retries["attempts"].dump(), text(retries, "on")));
  for (const auto& mirror : decision["mirrors"])
    out +=
        line("mirror", fmt::format("{} {} {}", percent(mirror["share"]), text(mirror, "host"), text(mirror, "subset")));
  if (decision["fault"].is_object()) out += line("fault", decision["fault"].dump());
  if (decision["redirect"].is_string()) out += line("redirect", text(decision, "redirect"));
  return out;
}

std::string kernel_text(const Context& context, const Json& kernel) {
  if (!kernel.is_object()) return {};
  const bool agrees = kernel["agrees"].get<bool>();
  std::string out =
      line("kernel", (agrees ? tinted(context, Tint::kGood, "agrees") : tinted(context, Tint::kBad, "DIFFERS")) +
                         fmt::format(" (generation {})", kernel["generation"].dump()));
  for (const auto& entry : kernel["entries"]) out += "  " + entry.get<std::string>() + "\n";
  for (const auto& difference : kernel["differences"]) out += "  ! " + difference.get<std::string>() + "\n";
  return out;
}

std::string proxy_text(const Context& context, const Json& proxy) {
  if (!proxy.is_object()) return {};
  if (proxy["serves"].get<bool>())
    return line("proxy",
                fmt::format("{} by pid {}, which follows generation {}", tinted(context, Tint::kGood, "carried"),
                            proxy["pid"].dump(), proxy["generation"].dump()));
  return line("proxy", fmt::format("{}: {}", tinted(context, Tint::kBad, "DOWN"), text(proxy, "without")));
}

}  // namespace

std::string explain_text(const Context& context, const Explained& answer, const std::optional<Drawn>& drawn) {
  const auto& decision = answer.decision;
  const std::string service = text(decision, "service");
  std::string out;
  out += line("service", service.empty() ? "unknown: nothing in the configuration has this host or address"
                                         : tinted(context, Tint::kStrong, service) + ":" + decision["port"].dump());
  out += line("path", path_text(decision));
  out += line("rule", rule_text(decision["rule"]));
  std::string action = text(decision, "action");
  if (decision["status"].is_number()) action += ", status " + decision["status"].dump();
  out += line("action", action);
  out += effects_text(decision);
  if (!decision["destinations"].empty()) out += "\n" + destinations_text(decision["destinations"], drawn);
  if (drawn) out += fmt::format("drawn with the kernel's pick (phase {:#x})\n", drawn->phase);
  if (!answer.steps.empty()) {
    out += "\nwhy\n";
    for (const auto& step : answer.steps) out += "  " + step + "\n";
  }
  if (const auto kernel = kernel_text(context, answer.kernel); !kernel.empty()) out += "\n" + kernel;
  out += proxy_text(context, answer.proxy);
  return out;
}

void add_drawn(Json& decision, const Drawn& drawn) {
  auto& destinations = decision["destinations"];
  for (size_t i = 0; i < destinations.size() && i < drawn.picked.size(); ++i)
    destinations[i]["drawn"] = drawn.picked[i];
}

}  // namespace weir::cli
