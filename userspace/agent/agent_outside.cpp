// What the agent does about connections from outside: gateways' ports, and the packet programs on its interfaces.

#include "agent/agent.h"
#include "agent/node/address.h"
#include "agent/outside/gateway_ports.h"

namespace weir::agent {

void Agent::make_outside() {
  outside_ = std::make_unique<OutsideTraffic>(OutsideOptions{.bpffs_dir = options_.bpffs_dir,
                                                             .node = options_.node,
                                                             .devices = options_.devices,
                                                             .node_addresses = options_.node_addresses,
                                                             .first_port = options_.outside_port_first,
                                                             .port_count = options_.outside_port_count,
                                                             .flows = options_.flows});
}

void Agent::follow_outside() {
  // Not before: until then, the maps may be others than those that an agent before this one has pinned.
  const auto& table = reconciler_->state().table;
  std::vector<std::string> warnings;
  outside_->follow(table ? *table->plan : routing::Plan{}, warnings);
  for (const std::string& warning : warnings) spdlog::warn("{}", printable(warning));
}

void Agent::look_outside_first() {
  if (!outside_->wanted()) return;
  Result<NetnsScan> scan = Error{"not looked"};
  // It moves between namespaces: on a thread that does nothing else.
  std::thread([&scan] { scan = scan_network_namespaces(); }).join();
  if (scan) namespaces_ = *scan;
  reconciler_->set_outside(outside_->facts(scan ? &*scan : nullptr, nullptr));
}

void Agent::look_outside() {
  if (!outside_->wanted()) return;
  for (const std::string& line : outside_->mend()) spdlog::warn("from outside: {}", printable(line));
  finish(reconciler_->set_outside(
      outside_->facts(namespaces_ ? &*namespaces_ : nullptr, reconciler_->state().table.get())));
}

void Agent::open_gateway(const std::vector<routing::PlanGatewayPort>& ports, std::vector<std::string>& warnings) {
  gateway_ports_ = ports;
  std::optional<std::vector<IpAddress>> places;
  if (!options_.interfaces.empty()) {
    places = addresses_of_interfaces(options_.interfaces);
    if (places->empty() && !ports.empty())
      warnings.push_back("the gateway is closed: the interfaces of --interface have no address");
  }
  auto opening =
      choose_gateway_ports(ports, ports.empty() ? std::vector<net::SocketAddress>{} : listening_sockets(), places);
  for (auto& warning : opening.warnings) warnings.push_back(std::move(warning));
  if (const auto opened = datapath_->set_gateway(opening.open, places); !opened)
    warnings.push_back("the gateway is closed: " + opened.error().message);
}

/// Others come and go at its ports, and addresses at the interfaces.
void Agent::look_at_gateway() {
  if (gateway_ports_.empty()) return;
  std::vector<std::string> warnings;
  const auto ports = gateway_ports_;
  open_gateway(ports, warnings);
  for (const auto& warning : warnings)
    if (throttle_.admit(warning, Throttle::Clock::now())) spdlog::warn("{}", printable(warning));
}

}  // namespace weir::agent
