#include "datapath/map_image.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include "base/hash.h"
#include "datapath/maps_view.h"
#include "pick/forks.h"
#include "pick/thresholds.h"

namespace weir::datapath {

static_assert(routing::kMaxDestinations == abi::MAX_DESTINATIONS, "the plan promises what the kernel has room for");
static_assert(routing::kOutside == abi::SOURCE_OUTSIDE, "the plan's sources are the kernel's");
namespace {

Error bad_plan(const routing::ServicePlan& plan, const std::string& what) {
  return Error{"service " + plan.service + ":" + std::to_string(plan.port) + ": " + what, EINVAL};
}

std::vector<EndpointImage> make_endpoints(const routing::PlanDestination& destination, bool* weighted) {
  std::vector<EndpointImage> result;
  if (destination.endpoints.empty()) return result;
  std::vector<uint64_t> weights;
  weights.reserve(destination.endpoints.size());
  for (const auto& endpoint : destination.endpoints) weights.push_back(endpoint.weight);
  *weighted = std::any_of(weights.begin(), weights.end(), [&](uint64_t weight) { return weight != weights.front(); });
  const std::vector<uint32_t> lasts = pick::thresholds(weights);
  result.reserve(weights.size());
  for (size_t i = 0; i < weights.size(); ++i)
    result.push_back(
        {destination.endpoints[i].address, destination.endpoints[i].port, lasts[i], destination.endpoints[i].local});
  return result;
}

Result<void> check_endpoints(const routing::ServicePlan& plan, const routing::PlanSplit& split,
                             const routing::PlanDestination& destination) {
  if (destination.endpoints.size() > abi::MAX_ENDPOINTS)
    return bad_plan(plan, "split " + split.name + ": " + std::to_string(destination.endpoints.size()) +
                              " endpoints of " + destination.host + ", the kernel takes " +
                              std::to_string(abi::MAX_ENDPOINTS));
  for (const auto& endpoint : destination.endpoints)
    if (endpoint.port == 0 || endpoint.weight == 0 || endpoint.address.is_unspecified())
      return bad_plan(plan, "split " + split.name + ": endpoint " + to_string(endpoint.address, endpoint.port) +
                                " with weight " + std::to_string(endpoint.weight) + " cannot serve");
  return {};
}

Result<SplitImage> make_split(const routing::ServicePlan& plan, const routing::PlanSplit& split) {
  if (split.destinations.empty()) return bad_plan(plan, "split " + split.name + " has no destination");
  if (split.destinations.size() > abi::MAX_DESTINATIONS)
    return bad_plan(plan, "split " + split.name + " has " + std::to_string(split.destinations.size()) +
                              " destinations, the kernel takes " + std::to_string(abi::MAX_DESTINATIONS));
  SplitImage image{
      .key = split_key(split.name), .name = split.name, .fallback = split.fallback, .forks = {}, .destinations = {}};
  std::vector<uint64_t> weights;
  for (const auto& destination : split.destinations) {
    if (destination.weight == 0)
      return bad_plan(plan, "split " + split.name + ": destination " + destination.host + " has weight 0");
    WEIR_TRY(check_endpoints(plan, split, destination));
    weights.push_back(destination.weight);
  }
  image.forks = pick::make_forks(weights);
  const std::vector<uint32_t> lasts = pick::thresholds(weights);
  for (size_t i = 0; i < lasts.size(); ++i) {
    const auto& destination = split.destinations[i];
    DestinationImage& part = image.destinations.emplace_back();
    part.last = lasts[i];
    part.key = destination_key(destination.host, destination.port, destination.subset);
    const std::string& label = destination.subset.empty() ? destination.host : destination.subset;
    part.label.assign(label, 0, abi::LABEL_SIZE - 1);
    part.endpoints = make_endpoints(destination, &part.weighted);
  }
  return image;
}

/// A v4 client can only be sent to a v4 endpoint, a v6 client only to a v6 one.
Result<void> check_family(const routing::ServicePlan& plan, const routing::PlanFrontend& frontend) {
  for (const auto& destination : plan.splits[frontend.split].destinations)
    for (const auto& endpoint : destination.endpoints)
      if (endpoint.address.is_v4() != frontend.address.is_v4())
        return bad_plan(plan, "frontend " + to_string(frontend.address, frontend.port) + " and endpoint " +
                                  to_string(endpoint.address, endpoint.port) + " are of different address families");
  return {};
}

using Place = std::tuple<IpAddress, uint16_t, uint8_t>;
Place place_of(const routing::PlanFrontend& frontend) {
  return {frontend.address, frontend.port, frontend.protocol};
}

/// Without the flags that depend on other frontends.
Result<FrontendImage> make_frontend(const routing::ServicePlan& plan, const routing::PlanFrontend& frontend,
                                    const ServiceImage& image, const ProxyPorts* ports) {
  FrontendImage entry{.key = frontend_key_of(frontend)};
  const auto bad_frontend = [&](const char* what) {
    return bad_plan(plan, "frontend " + to_string(frontend.address, frontend.port) + what);
  };
  if (frontend.split < plan.splits.size()) {
    WEIR_TRY(check_family(plan, frontend));
    entry.split = image.splits[frontend.split].key;
  } else if (!frontend.proxied || frontend.split != routing::kNoSplit) {
    return bad_frontend(" has no split");
  }
  if (!frontend.proxied) return entry;
  if (frontend.source == routing::kOutside && frontend.like >= plan.frontends.size())
    return bad_frontend(" is like none");
  entry.proxy_port = ports != nullptr ? ports->find(plan, frontend) : uint16_t{0};
  if (entry.proxy_port == 0) return bad_frontend(" has no port of the proxy");
  if (plan.refuse_without_proxy) entry.flags = abi::FRONTEND_REFUSE_WITHOUT_PROXY;
  return entry;
}

Result<void> make_frontends(const routing::ServicePlan& plan, const ProxyPorts* ports, ServiceImage* image) {
  std::map<Place, bool> places;  // of those with sources -> an entry for any client is there
  for (const auto& frontend : plan.frontends)
    if (frontend.source != 0 && frontend.source != routing::kOutside) places.emplace(place_of(frontend), false);
  for (const auto& frontend : plan.frontends) {
    auto made = make_frontend(plan, frontend, *image, ports);
    if (!made) return std::move(made).error();
    FrontendImage& entry = image->frontends.emplace_back(*made);
    if (const auto place = places.find(place_of(frontend)); frontend.source == 0 && place != places.end()) {
      entry.flags |= abi::FRONTEND_HAS_SOURCES;
      place->second = true;
    }
  }
  for (const auto& [place, any_client] : places) {
    if (any_client) continue;
    routing::PlanFrontend marker;
    std::tie(marker.address, marker.port, marker.protocol) = place;
    image->frontends.push_back({.key = frontend_key_of(marker), .flags = abi::FRONTEND_HAS_SOURCES});
  }
  return {};
}

}  // namespace

uint64_t split_key(std::string_view name) {
  const uint64_t key = hash64(name);
  return key != 0 ? key : 1;  // 0 is "none"
}

uint32_t destination_key(std::string_view host, uint16_t port, std::string_view subset) {
  uint64_t hash = hash64(host);
  hash = hash64(std::to_string(port), hash);
  hash = hash64(subset, hash);
  return static_cast<uint32_t>(hash >> 32);
}

abi::frontend_key frontend_key_of(const routing::PlanFrontend& frontend) {
  abi::frontend_key key{};
  std::memcpy(key.address, frontend.address.bytes().data(), sizeof(key.address));
  key.port = htons(frontend.port);
  key.protocol = frontend.protocol;
  key.source = frontend.source;
  return key;
}

Result<ServiceImage> make_service_image(const routing::ServicePlan& plan, const ProxyPorts* ports) {
  ServiceImage image;
  image.service = plan.service;
  image.splits.reserve(plan.splits.size());
  for (const auto& split : plan.splits) {
    auto made = make_split(plan, split);
    if (!made) return std::move(made).error();
    image.splits.push_back(*std::move(made));
  }
  WEIR_TRY(make_frontends(plan, ports, &image));
  return image;
}

std::string to_text(const abi::frontend_key& key) {
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), key.address, sizeof(key.address));
  std::string text = to_string(IpAddress(bytes), ntohs(key.port));
  text += key.protocol == IPPROTO_TCP   ? "/tcp"
          : key.protocol == IPPROTO_UDP ? "/udp"
                                        : "/" + std::to_string(key.protocol);
  if (key.source == abi::SOURCE_OUTSIDE)
    text += " from outside";
  else if (key.source != 0)
    text += " from source " + std::to_string(key.source);
  return text;
}

std::string to_text(const ServiceImage& image) {
  std::string text = "service " + image.service + "\n";
  const auto name_of = [&](uint64_t key) {
    for (const auto& split : image.splits)
      if (split.key == key) return split.name;
    return std::string("none");
  };
  for (const auto& frontend : image.frontends) {
    text += "  frontend " + to_text(frontend.key) + " -> ";
    if (frontend.proxy_port != 0) text += "proxy port " + std::to_string(frontend.proxy_port) + ", without it ";
    text += (frontend.flags & abi::FRONTEND_REFUSE_WITHOUT_PROXY) != 0 ? "refused" : name_of(frontend.split);
    text += (frontend.flags & abi::FRONTEND_HAS_SOURCES) != 0 ? " (sources first)\n" : "\n";
  }
  for (const auto& split : image.splits) {
    text += "  split " + split.name + (split.fallback ? " (fallback)\n" : "\n");
    for (const auto& destination : split.destinations) {
      text += "    .." + std::to_string(destination.last) + " " + destination.label;
      for (const auto& endpoint : destination.endpoints) {
        text += " " + to_string(endpoint.address, endpoint.port);
        if (destination.weighted) text += "(.." + std::to_string(endpoint.last) + ")";
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace weir::datapath
