// weir check: what this node's kernel can do.

#include "cli/command_table.h"
#include "cli/output.h"
#include "datapath/probe.h"

namespace weir::cli {
namespace {

Json to_json(const std::vector<datapath::Feature>& features, bool good) {
  auto list = Json::array();
  for (const auto& feature : features)
    list.push_back({{"name", feature.name},
                    {"available", feature.available},
                    {"required", feature.required},
                    {"since", feature.since},
                    {"what", feature.what},
                    {"without", feature.without},
                    {"error", feature.error}});
  return {{"ok", good}, {"features", std::move(list)}};
}

void print_feature(Context& context, const datapath::Feature& feature) {
  const char* sign = feature.available ? "√" : feature.required ? "×" : "‼";
  const Tint tint = feature.available ? Tint::kGood : feature.required ? Tint::kBad : Tint::kWarn;
  context.out << tinted(context, tint, sign) << " " << feature.name << ": " << feature.what << "\n";
  if (feature.available) return;
  if (!feature.without.empty()) context.out << "    without it: " << feature.without << "\n";
  if (!feature.since.empty()) context.out << "    in kernels since " << feature.since << "\n";
  if (!feature.error.empty()) context.out << "    the probe said: " << feature.error << "\n";
}

int check(Context& context) {
  const auto features = datapath::probe_features();
  bool good = true, all = true;
  for (const auto& feature : features) {
    good = good && (feature.available || !feature.required);
    all = all && feature.available;
  }
  if (context.machine_readable()) {
    print(context, to_json(features, good));
    return good ? kOk : kError;
  }
  for (const auto& feature : features) print_feature(context, feature);
  context.err << (all    ? "Status check results are √\n"
                  : good ? "Status check results are √, with less on this kernel (‼)\n"
                         : "Status check results are ×: Weir cannot run here\n");
  return good ? kOk : kError;
}

}  // namespace

void add_check(CommandTable& table) {
  table.add("check", "what this node's kernel can do", "  weir check\n",
            [](Context& context) { return check(context); });
}

}  // namespace weir::cli
