#include "cli/agent_outside_options.h"

#include <algorithm>

#include "agent/outside/traffic.h"
#include "cli/agent_proxy_options.h"

namespace weir::cli {
namespace {

using datapath::DeviceMode;

Result<datapath::NorthDevice> read_device(const std::string& text) {
  const size_t equals = std::min(text.find('='), text.size());
  const std::string name = text.substr(0, equals);
  const std::string mode = equals == text.size() ? "auto" : text.substr(equals + 1);
  if (name.empty() || (mode != "auto" && mode != "tc" && mode != "xdp"))
    return Error{"--interface \"" + text + "\" is not NAME or NAME=auto|tc|xdp"};
  return datapath::NorthDevice{name, mode == "xdp"  ? DeviceMode::kXdp
                                     : mode == "tc" ? DeviceMode::kTc
                                                    : DeviceMode::kAuto};
}

}  // namespace

Result<void> read_outside_options(const std::vector<std::string>& interfaces, const std::string& ports,
                                  agent::Options& options) {
  for (const std::string& text : interfaces) {
    auto device = read_device(text);
    if (!device) return std::move(device).error();
    const auto& known = options.interfaces;
    if (std::find(known.begin(), known.end(), device->name) != known.end())
      return Error{"--interface " + device->name + " is there twice"};
    options.interfaces.push_back(device->name);
    options.devices.push_back(*std::move(device));
  }
  auto range = read_port_range("--outside-ports", ports, "20000-29999");
  if (!range) return std::move(range).error();
  options.outside_port_first = range->first;
  options.outside_port_count = range->count;
  if (const std::string clash =
          agent::clash_of_ports(range->first, range->count, options.proxy_port_first, options.proxy_port_count);
      !interfaces.empty() && !clash.empty())
    return Error{clash};
  return {};
}

}  // namespace weir::cli
