#include "routing/plan/plan.h"

namespace weir::routing {

std::string_view to_string(Path path) {
  switch (path) {
    case Path::kNone:
      return "none";
    case Path::kKernel:
      return "kernel";
    case Path::kProxy:
      return "proxy";
  }
  return "none";
}

std::vector<double> shares(const PlanSplit& split) {
  // In floating point from the start: a sum of 64-bit weights may be more than 64 bits hold.
  long double sum = 0;
  for (const PlanDestination& destination : split.destinations) sum += static_cast<long double>(destination.weight);
  std::vector<double> result;
  result.reserve(split.destinations.size());
  for (const PlanDestination& destination : split.destinations)
    result.push_back(sum > 0 ? static_cast<double>(static_cast<long double>(destination.weight) / sum) : 0.0);
  return result;
}

namespace {

std::string place(const Origin& origin) {
  if (origin.kind.empty()) return "-";
  return origin.file + ":" + std::to_string(origin.at.line) + ":" + std::to_string(origin.at.column);
}

void append_destination(std::string& text, const PlanDestination& destination) {
  text += " " + std::to_string(destination.weight) + "*" + destination.host + ":" + std::to_string(destination.port);
  if (!destination.subset.empty()) text += "/" + destination.subset;
  text += "[";
  for (const PlanEndpoint& endpoint : destination.endpoints) {
    if (text.back() != '[') text += " ";
    text += weir::to_string(endpoint.address, endpoint.port);
    if (endpoint.local) text += "(local)";
    if (endpoint.weight != 1) text += "x" + std::to_string(endpoint.weight);
  }
  text += "]";
}

void append_service(std::string& text, const ServicePlan& service) {
  const std::string name = service.service + ":" + std::to_string(service.port);
  text += "service " + name + " path=" + std::string(to_string(service.path)) + " reason=" + service.reason + "\n";
  for (const PlanFrontend& frontend : service.frontends) {
    text += "frontend " + name + " " + weir::to_string(frontend.address, frontend.port) +
            " protocol=" + std::to_string(frontend.protocol) +
            " source=" + (frontend.source == kOutside ? "outside" : std::to_string(frontend.source)) +
            (frontend.proxied ? " proxied" : "") +
            (frontend.proxied && service.refuse_without_proxy ? " refuse-without-proxy" : "") +
            " split=" + (frontend.split == kNoSplit ? "-" : service.splits[frontend.split].name) + "\n";
  }
  for (const PlanSplit& split : service.splits) {
    text += "split " + split.name + " at=" + place(split.origin) + (split.fallback ? " fallback" : "");
    for (const PlanDestination& destination : split.destinations) append_destination(text, destination);
    text += "\n";
  }
}

void append_gateway_port(std::string& text, const PlanGatewayPort& port) {
  text += "gateway port " + std::to_string(port.port) + " listener=" + std::to_string(port.listener) +
          " gateway=" + std::to_string(port.gateway) + (port.http ? " http" : " opaque");
  for (const std::string& server : port.servers) text += " " + server;
  text += "\n";
}

}  // namespace

std::string to_text(const Plan& plan) {
  std::string text;
  for (const PlanSource& source : plan.sources)
    text += "source " + std::to_string(source.id) + " " + source.pod.namespace_ + "/" + source.pod.name + " " +
            source.pod.address.to_string() + "\n";
  for (const PlanGatewayPort& port : plan.gateway_ports) append_gateway_port(text, port);
  for (const auto& service : plan.services) append_service(text, *service);
  return text;
}

}  // namespace weir::routing
