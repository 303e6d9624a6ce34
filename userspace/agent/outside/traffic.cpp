#include "agent/outside/traffic.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/node/log.h"

namespace weir::agent {
namespace {

constexpr uint16_t kFirstNodePort = 30000, kLastNodePort = 32767;  // Kubernetes' own range

std::optional<IpAddress> if_reachable(const std::optional<IpAddress>& address) {
  return address && !address->is_loopback() ? address : std::nullopt;
}

NodeAddresses choose(const NodeAddresses& told) {
  const NodeAddresses found = find_node_addresses();
  return {if_reachable(told.v4 ? told.v4 : found.v4), if_reachable(told.v6 ? told.v6 : found.v6)};
}

std::vector<std::string> names_of(const std::vector<datapath::NorthDevice>& devices) {
  std::vector<std::string> names;
  for (const auto& device : devices) names.push_back(device.name);
  return names;
}

void sort_unique(std::vector<IpAddress>& addresses) {
  std::ranges::sort(addresses);
  addresses.erase(std::ranges::unique(addresses).begin(), addresses.end());
}

}  // namespace

std::string clash_of_ports(uint16_t first, uint16_t count, uint16_t proxy_first, uint16_t proxy_count) {
  const uint32_t last = uint32_t{first} + count - 1;
  const std::string own = fmt::format("--outside-ports {}-{}", first, last);
  if (first <= kLastNodePort && last >= kFirstNodePort)
    return fmt::format("{} and Kubernetes' node ports ({}-{}) overlap", own, kFirstNodePort, kLastNodePort);
  const uint32_t proxy_last = uint32_t{proxy_first} + proxy_count - 1;
  if (first <= proxy_last && last >= proxy_first)
    return fmt::format("{} and --proxy-ports {}-{} overlap", own, proxy_first, proxy_last);
  return "";
}

routing::Outside OutsideTraffic::facts(const NetnsScan* scan, const routing::Table* table) const {
  const auto has_node = [&](const IpAddress& address) {
    if (table == nullptr) return false;
    const auto& pod = table->pods_at.find(address.to_string());
    return pod && !pod->node.empty();
  };
  routing::Outside facts;
  facts.node = options_.node;
  for (const IpAddress& address : addresses_of_interfaces(names_of(options_.devices)))
    if (!address.is_loopback() && !address.is_link_local()) facts.node_addresses.push_back(address);
  facts.local_addresses = own_addresses();
  if (scan != nullptr)
    for (const auto& [address, cookie] : scan->cookie_of)
      if (!has_node(address)) facts.local_addresses.push_back(address);
  sort_unique(facts.node_addresses);
  sort_unique(facts.local_addresses);
  return facts;
}

Result<void> OutsideTraffic::configure() {
  const NodeAddresses addresses = choose(options_.node_addresses);
  datapath::NorthSettings settings;
  settings.node_v4 = addresses.v4;
  settings.node_v6 = addresses.v6;
  settings.first_port = options_.first_port;
  settings.port_count = options_.port_count;
  WEIR_TRY(north_->configure(settings));
  configured_ = addresses;
  return {};
}

Result<void> OutsideTraffic::open() {
  auto opened = datapath::NorthDatapath::open(
      {.bpffs_dir = options_.bpffs_dir, .sizes = {.flows = options_.flows}, .log = [](std::string_view line) {
         spdlog::info("from outside: {}", printable(line));
       }});
  if (!opened) return std::move(opened).error();
  north_.emplace(*std::move(opened));
  if (auto configured = configure(); !configured) {
    north_.reset();
    return std::move(configured).error();
  }
  return {};
}

void OutsideTraffic::serve() {
  if (state_.attached) {  // mend() looks after the rest
    north_->expect(frontends_);
    return;
  }
  state_.trouble.clear();
  if (!north_) {
    if (const auto opened = open(); !opened) {
      state_.trouble = opened.error().message;
      return;
    }
  }
  north_->expect(frontends_);
  if (const auto attached = north_->attach(options_.devices); !attached) state_.trouble = attached.error().message;
  state_.attached = true;
  note_devices();
}

void OutsideTraffic::follow(const routing::Plan& plan, std::vector<std::string>& warnings) {
  state_.wanted = wanted();
  state_.first_port = options_.first_port;
  state_.port_count = options_.port_count;
  if (!wanted()) {
    // An agent before this one may have served what this one is not to serve.
    if (!datapath::is_north_installed(options_.bpffs_dir)) return;
    if (const auto removed = datapath::uninstall_north(options_.bpffs_dir); !removed)
      warnings.push_back("the programs for what comes from outside stay: " + removed.error().message);
    return;
  }
  frontends_ = datapath::frontends_from_outside(plan);
  state_.frontends = frontends_.size();
  // What an agent before this one served goes on.
  if (state_.frontends == 0 && !datapath::is_north_installed(options_.bpffs_dir)) return;
  serve();
  if (!state_.trouble.empty()) warnings.push_back("what comes from outside is not all split: " + state_.trouble);
}

std::vector<std::string> OutsideTraffic::mend() {
  if (!state_.attached) {
    if (wanted() && state_.frontends > 0) serve();
    return {};
  }
  std::vector<std::string> lines;
  state_.trouble.clear();
  if (!(choose(options_.node_addresses) == configured_))
    if (const auto configured = configure(); !configured) state_.trouble = configured.error().message;
  north_->expect(frontends_);
  if (auto mended = north_->mend())
    for (std::string& line : *mended) lines.push_back("attached again: " + line);
  else
    state_.trouble = mended.error().message;
  note_devices();
  return lines;
}

void OutsideTraffic::note_devices() {
  if (!north_) return;
  auto status = north_->status();
  if (!status) {
    state_.trouble = status.error().message;
    return;
  }
  state_.devices = std::move(status->devices);
  state_.warnings = std::move(status->warnings);
  state_.flow_capacity = status->flow_capacity;
}

}  // namespace weir::agent
