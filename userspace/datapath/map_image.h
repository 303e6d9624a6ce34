#pragma once
// What the maps are to say for one service, by identity: names and addresses, no ids and no indices yet (map_diff.h
// gives them out). Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "bpf/abi.h"
#include "datapath/proxy_ports.h"
#include "routing/plan/plan.h"

namespace weir::datapath {

struct EndpointImage {
  IpAddress address;
  uint16_t port = 0;
  uint32_t last = 0;  // inclusive threshold within the destination
  bool local = false;
};

struct DestinationImage {
  uint32_t last = 0;  // inclusive threshold within the split
  uint32_t key = 0;
  bool weighted = false;
  std::string label;  // cut to what the kernel keeps
  std::vector<EndpointImage> endpoints;
};

struct SplitImage {
  uint64_t key = 0;
  std::string name;
  bool fallback = false;
  std::vector<abi::split_fork> forks;
  std::vector<DestinationImage> destinations;
};

struct FrontendImage {
  abi::frontend_key key{};
  uint64_t split = 0;  // the split's key; 0: none
  uint16_t flags = 0;
  uint16_t proxy_port = 0;  // 0: not proxied
};

struct ServiceImage {
  std::string service;
  std::vector<FrontendImage> frontends;
  std::vector<SplitImage> splits;
};

/// Fails when the plan breaks its own contract or a limit of the kernel ABI; the message names service and split.
/// `ports`: those of its proxied frontends; null where there are none.
Result<ServiceImage> make_service_image(const routing::ServicePlan& plan, const ProxyPorts* ports = nullptr);

/// Keys of a service's map elements without building its image: what must go when the service goes.
abi::frontend_key frontend_key_of(const routing::PlanFrontend& frontend);

/// "10.96.0.1:80/tcp"; with a source, "10.96.0.1:80/tcp from source 3" or "… from outside".
std::string to_text(const abi::frontend_key& key);
std::string to_text(const ServiceImage& image);

}  // namespace weir::datapath
