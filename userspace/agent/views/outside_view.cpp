#include "agent/views/outside_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "routing/codes.h"

namespace weir::agent {
namespace {

/// Services with addresses outside whose rules do not hold there.
size_t unserved(const State& state) {
  if (!state.table || state.table->outside) return 0;
  const auto conditions = state.table->conditions();
  return static_cast<size_t>(std::ranges::count_if(conditions, [](const auto& condition) {
    return condition.code == std::string_view(routing::code::kOutsideNotSplit);
  }));
}

Json device_json(const datapath::NorthDeviceStatus& device) {
  auto foreign = Json::array();
  for (const auto& program : device.foreign) foreign.push_back({{"id", program.id}, {"name", program.name}});
  return {{"name", device.name},      {"tc", device.tc},           {"xdp", device.xdp},
          {"why_no_xdp", device.why}, {"problem", device.problem}, {"foreign", std::move(foreign)}};
}

}  // namespace

Json packets_json(const datapath::MapsView& maps) {
  auto list = Json::array();
  for (const auto& packet : maps.packets)
    list.push_back({{"name", packet.name}, {"count", packet.count}, {"help", packet.help}});
  return list;
}

Json outside_view(const State& state) {
  const OutsideState& outside = state.outside;
  auto devices = Json::array();
  for (const auto& device : outside.devices) devices.push_back(device_json(device));
  return {{"wanted", outside.wanted},
          {"attached", outside.attached},
          {"trouble", outside.trouble},
          {"frontends", outside.frontends},
          {"unserved", unserved(state)},
          {"devices", std::move(devices)},
          {"warnings", outside.warnings},
          {"ports", {{"first", outside.first_port}, {"count", outside.port_count}}},
          {"flow_capacity", outside.flow_capacity}};
}

std::vector<std::string> outside_problems(const State& state) {
  std::vector<std::string> lines;
  const OutsideState& outside = state.outside;
  if (!outside.trouble.empty()) lines.push_back("what comes from outside is not all split: " + outside.trouble);
  if (outside.trouble.empty())
    for (const auto& device : outside.devices)
      if (!device.problem.empty()) lines.push_back(fmt::format("interface {}: {}", device.name, device.problem));
  return lines;
}

}  // namespace weir::agent
