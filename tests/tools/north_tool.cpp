// Carries outside traffic as an agent would, for tests and benchmarks: maps and connect programs stay unattached,
// packet programs go on devices. Options first, then commands on stdin, each answered with one line ("ok …" or "error
// …"):
//   apply SERVICE …          SERVICE: ADDRESS/PORT/tcp|udp=WEIGHT@ENDPOINT/PORT[/local],…
//   attach DEVICE[=MODE] …   MODE: auto, tc, xdp
//   status | counts | flows
// What is attached stays when it ends; `north_tool --bpffs DIR --uninstall` removes it.

#include <netinet/in.h>

#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "datapath/datapath.h"
#include "datapath/north.h"

namespace weir::tools {
namespace {

using datapath::DeviceMode;

std::vector<std::string> parts_of(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

uint16_t port_of(const std::string& text) {
  return static_cast<uint16_t>(std::strtoul(text.c_str(), nullptr, 10));
}

/// "75@10.0.0.5/8080/local"; several of one weight by '+': "75@A/1+B/1".
Result<routing::PlanDestination> destination_of(const std::string& text, size_t number) {
  const size_t at = text.find('@');
  if (at == std::string::npos) return Error{"'" + text + "' has no '@'", EINVAL};
  routing::PlanDestination destination;
  destination.subset = "v" + std::to_string(number + 1);
  destination.weight = std::strtoul(text.c_str(), nullptr, 10);
  for (const std::string& one : parts_of(text.substr(at + 1), '+')) {
    const auto parts = parts_of(one, '/');
    const auto address = parts.size() < 2 ? std::nullopt : IpAddress::parse(parts[0]);
    if (!address) return Error{"'" + one + "' is no endpoint", EINVAL};
    destination.endpoints.push_back({.address = *address,
                                     .port = port_of(parts[1]),
                                     .weight = 1,
                                     .local = parts.size() > 2 && parts[2] == "local"});
  }
  return destination;
}

Result<std::shared_ptr<routing::ServicePlan>> service_of(const std::string& text) {
  const size_t equals = text.find('=');
  const auto place = parts_of(text.substr(0, equals), '/');
  const auto address = place.size() == 3 ? IpAddress::parse(place[0]) : std::nullopt;
  if (equals == std::string::npos || !address) return Error{"'" + text + "' is no service", EINVAL};
  auto service = std::make_shared<routing::ServicePlan>();
  service->service = text.substr(0, equals);
  service->port = port_of(place[1]);
  service->path = routing::Path::kKernel;
  routing::PlanSplit& split = service->splits.emplace_back();
  split.name = service->service;
  for (const std::string& part : parts_of(text.substr(equals + 1), ',')) {
    auto destination = destination_of(part, split.destinations.size());
    if (!destination) return std::move(destination).error();
    destination->host = service->service;
    destination->port = service->port;
    if (destination->weight > 0) split.destinations.push_back(*std::move(destination));
  }
  service->frontends.push_back({.address = *address,
                                .port = service->port,
                                .protocol = static_cast<uint8_t>(place[2] == "udp" ? IPPROTO_UDP : IPPROTO_TCP),
                                .source = routing::kOutside,
                                .split = 0});
  return service;
}

class Tool {
 public:
  Result<void> open(const std::map<std::string, std::string>& options);
  std::string answer(const std::string& line);

 private:
  Result<std::string> apply(const std::vector<std::string>& services);
  Result<std::string> attach(const std::vector<std::string>& devices);
  Result<std::string> status();
  Result<std::string> counts();
  std::unique_ptr<datapath::Datapath> maps_;
  std::unique_ptr<datapath::NorthDatapath> north_;
  uint64_t generation_ = 0;
};

Result<void> Tool::open(const std::map<std::string, std::string>& options) {
  datapath::Options kept;
  datapath::NorthOptions carried;
  datapath::NorthSettings settings;
  for (const auto& [name, value] : options) {
    if (name == "--bpffs") kept.bpffs_dir = carried.bpffs_dir = value;
    if (name == "--cgroup") kept.cgroup = value;
    if (name == "--node4") settings.node_v4 = IpAddress::parse(value);
    if (name == "--node6") settings.node_v6 = IpAddress::parse(value);
    if (name == "--flows") carried.sizes.flows = static_cast<uint32_t>(std::stoul(value));
    if (name == "--flow-rate") settings.flow_rate = static_cast<uint32_t>(std::stoul(value));
    if (name == "--established") settings.established = std::chrono::seconds(std::stoul(value));
  }
  kept.node = "north-tool";
  auto maps = datapath::Datapath::open(kept);
  if (!maps) return std::move(maps).error();
  maps_ = std::make_unique<datapath::Datapath>(*std::move(maps));
  auto north = datapath::NorthDatapath::open(carried);
  if (!north) return std::move(north).error();
  north_ = std::make_unique<datapath::NorthDatapath>(*std::move(north));
  return north_->configure(settings);
}

Result<std::string> Tool::apply(const std::vector<std::string>& services) {
  routing::Plan plan;
  plan.generation = ++generation_;
  for (const std::string& text : services) {
    auto service = service_of(text);
    if (!service) return std::move(service).error();
    plan.services.push_back(*std::move(service));
  }
  auto report = maps_->apply(plan);
  if (!report) return std::move(report).error();
  north_->expect(datapath::frontends_from_outside(plan));
  return std::to_string(report->operations) + " operations";
}

Result<std::string> Tool::attach(const std::vector<std::string>& texts) {
  std::vector<datapath::NorthDevice> devices;
  for (const std::string& text : texts) {
    const auto parts = parts_of(text, '=');
    const std::string mode = parts.size() > 1 ? parts[1] : "auto";
    devices.push_back({.name = parts[0],
                       .mode = mode == "xdp"  ? DeviceMode::kXdp
                               : mode == "tc" ? DeviceMode::kTc
                                              : DeviceMode::kAuto});
  }
  WEIR_TRY(north_->attach(devices));
  return status();
}

Result<std::string> Tool::status() {
  auto status = north_->status();
  if (!status) return std::move(status).error();
  std::string text = status->adopted ? "adopted" : "new";
  for (const auto& device : status->devices) {
    text += " | " + device.name + " " + (device.tc.empty() ? "-" : device.tc) + " " +
            (device.xdp.empty() ? "-" : device.xdp);
    if (!device.why.empty()) text += " (" + device.why + ")";
    for (const auto& other : device.foreign) text += " beside " + other.name;
    if (!device.problem.empty()) text += " PROBLEM " + device.problem;
  }
  return text;
}

Result<std::string> Tool::counts() {
  auto status = north_->status();
  if (!status) return std::move(status).error();
  std::string text;
  for (const auto& count : status->counts)
    if (count.count > 0) text += (text.empty() ? "" : " ") + count.name + "=" + std::to_string(count.count);
  return text;
}

std::string Tool::answer(const std::string& line) {
  auto words = parts_of(line, ' ');
  if (words.empty()) return "error no command";
  const std::string command = words[0];
  words.erase(words.begin());
  Result<std::string> result = Error{"no command '" + command + "'", EINVAL};
  if (command == "apply") result = apply(words);
  if (command == "attach") result = attach(words);
  if (command == "status") result = status();
  if (command == "counts") result = counts();
  if (command == "flows") {
    auto flows = north_->flows();
    result = flows ? Result<std::string>(std::to_string(*flows)) : Result<std::string>(std::move(flows).error());
  }
  return result ? "ok " + *result : "error " + result.error().message;
}

int run(int count, char** arguments) {
  std::map<std::string, std::string> options;
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    options[name] = name != "--uninstall" && i + 1 < count ? arguments[++i] : "";
  }
  if (options.count("--uninstall") > 0) {
    const auto removed = datapath::uninstall(options["--bpffs"]);
    std::cout << (removed ? "ok " + std::to_string(*removed) : "error " + removed.error().message) << std::endl;
    return removed ? 0 : 1;
  }
  Tool tool;
  if (const auto opened = tool.open(options); !opened) {
    std::cout << "error " << opened.error().message << std::endl;
    return 1;
  }
  std::cout << "ok" << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << tool.answer(line) << std::endl;
  return 0;
}

}  // namespace
}  // namespace weir::tools

int main(int count, char** arguments) {
  return weir::tools::run(count, arguments);
}
