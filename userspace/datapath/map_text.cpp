// The text forms of map_diff.h and maps_view.h: stable lines for --dry-run, drift reports and bug reports.

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdio>

#include "datapath/map_diff.h"
#include "datapath/maps_view.h"

namespace weir::datapath {
namespace {

std::string address_text(const uint8_t (&address)[16], uint16_t port) {
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), address, bytes.size());
  return to_string(IpAddress(bytes), ntohs(port));
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f%%", share * 100);
  return text;
}

template <size_t kSize>
std::string text_of(const char (&text)[kSize]) {
  return {text, strnlen(text, kSize)};
}

std::string counts_text(const Counts& counts) {
  return " picked " + std::to_string(counts.picked) + " open " + std::to_string(counts.open());
}

}  // namespace

size_t Changes::operations() const {
  return counters.size() + endpoints.size() + splits.size() + frontends.size() + gone_frontends.size() +
         gone_splits.size();
}

std::string to_text(const abi::split& split, std::span<const abi::endpoint> endpoints) {
  std::string text = text_of(split.name);
  if ((split.flags & abi::SPLIT_FALLBACK) != 0) text += " fallback";
  if (split.mode != abi::SPLIT_EXACT) text += " mode " + std::to_string(split.mode);
  if (split.destination_count > abi::MAX_DESTINATIONS)
    return text + " with " + std::to_string(split.destination_count) + " destinations";
  double below = 0;
  for (uint32_t i = 0; i < split.destination_count; ++i) {
    const auto& part = split.destinations[i];
    const double upto = (part.last + 1.0) / 4294967296.0;
    text += " " + text_of(part.label) + "=" + percent(upto - below) + " (";
    below = upto;
    for (uint32_t k = 0; k < part.count; ++k) {
      if (k > 0) text += " ";
      if (const size_t index = size_t{part.first} + k; index >= endpoints.size()) {
        text += "out of bounds";
        break;
      } else {
        text += address_text(endpoints[index].address, endpoints[index].port);
        if (endpoints[index].port == 0) text += " never written";
      }
    }
    text += ")";
  }
  return text;
}

std::string to_text(const abi::frontend& frontend) {
  std::string text;
  if (frontend.proxy_port != 0) text = "proxy port " + std::to_string(ntohs(frontend.proxy_port)) + ", without it ";
  if (frontend.proxy_port != 0 && (frontend.split == 0 || (frontend.flags & abi::FRONTEND_REFUSE_WITHOUT_PROXY) != 0))
    text += "refused";
  else
    text += frontend.split != 0 ? "split " + std::to_string(frontend.split) : std::string("left alone");
  if ((frontend.flags & abi::FRONTEND_HAS_SOURCES) != 0) text += ", sources first";
  return text;
}

std::vector<std::string> to_lines(const Changes& changes) {
  std::vector<std::string> lines;
  lines.reserve(changes.operations());
  for (const auto& [id, counter] : changes.counters)
    lines.push_back("counter " + std::to_string(id) + " for " + address_text(counter.address, counter.port));
  size_t next = 0;
  for (const Range& range : changes.fresh)
    for (uint32_t i = 0; i < range.count; ++i, ++next)
      lines.push_back("endpoint " + std::to_string(range.first + i) + " = " +
                      address_text(changes.endpoints[next].address, changes.endpoints[next].port) + " of split " +
                      std::to_string(changes.endpoints[next].split));
  for (size_t i = 0; i < changes.splits.size(); ++i) {
    std::string line = "split " + std::to_string(changes.split_ids[i]) + " = " + text_of(changes.splits[i].name);
    double below = 0;
    for (uint32_t k = 0; k < changes.splits[i].destination_count; ++k) {
      const auto& part = changes.splits[i].destinations[k];
      const double upto = (part.last + 1.0) / 4294967296.0;
      line += " " + text_of(part.label) + "=" + percent(upto - below) + " of " + std::to_string(part.count);
      below = upto;
    }
    lines.push_back(std::move(line));
  }
  for (size_t i = 0; i < changes.frontends.size(); ++i)
    lines.push_back("frontend " + to_text(changes.frontend_keys[i]) + " = " + to_text(changes.frontends[i]));
  for (const auto& key : changes.gone_frontends) lines.push_back("delete frontend " + to_text(key));
  for (const uint32_t id : changes.gone_splits) lines.push_back("delete split " + std::to_string(id));
  return lines;
}

Counts& Counts::operator+=(const Counts& other) {
  picked += other.picked;
  opened += other.opened;
  closed += other.closed;
  return *this;
}

std::string to_text(const MapsView& view) {
  std::string text = "abi " + std::to_string(view.abi) + " generation " + std::to_string(view.generation) + " node " +
                     view.node + "\n";
  for (const auto& frontend : view.frontends) {
    text += "frontend " + to_string(frontend.address, frontend.port) + " protocol " + std::to_string(frontend.protocol);
    if (frontend.source == abi::SOURCE_OUTSIDE)
      text += " outside";
    else if (frontend.source != 0)
      text += " source " + std::to_string(frontend.source);
    text += " split " + std::to_string(frontend.split);
    if (frontend.proxy_port != 0) text += " proxy port " + std::to_string(frontend.proxy_port);
    text += frontend.refuse_without_proxy ? " refuse without proxy\n" : "\n";
  }
  for (const auto& split : view.splits) {
    text += "split " + std::to_string(split.id) + " " + split.name + (split.fallback ? " fallback" : "") +
            " generation " + std::to_string(split.generation) + counts_text(split.counts) + "\n";
    for (const auto& destination : split.destinations) {
      text += "  " + destination.label + " " + percent(destination.share) + counts_text(destination.counts) + "\n";
      for (const auto& endpoint : destination.endpoints)
        text += "    " + to_string(endpoint.address, endpoint.port) + " " + percent(endpoint.share) +
                counts_text(endpoint.counts) + "\n";
    }
  }
  for (const auto& port : view.proxy.ports)
    text += "proxy port " + std::to_string(port.port) + " " + to_string(port.address, port.frontend_port) +
            (port.outside ? " from outside" : "") + (port.unused_since_ns != 0 ? " unused\n" : "\n");
  text += std::string("proxy ") + (view.proxy.enabled ? "enabled" : "disabled") + " v4 " +
          (view.proxy.v4 ? view.proxy.v4->to_string() : "none") + " v6 " +
          (view.proxy.v6 ? view.proxy.v6->to_string() : "none") + " workers " + std::to_string(view.proxy.v4_workers) +
          "+" + std::to_string(view.proxy.v6_workers) + "\n";
  for (const auto& verdict : view.verdicts)
    text += "verdict " + verdict.name + " " + std::to_string(verdict.count) + "\n";
  for (const auto& packet : view.packets) text += "packets " + packet.name + " " + std::to_string(packet.count) + "\n";
  for (const auto& [cookie, source] : view.sources)
    text += "source " + std::to_string(source) + " netns " + std::to_string(cookie) + "\n";
  for (const auto& map : view.usage)
    text +=
        "map " + map.name + " " + map.type + " " + std::to_string(map.used) + "/" + std::to_string(map.capacity) + "\n";
  for (const auto& problem : view.problems) text += "problem " + problem + "\n";
  return text;
}

}  // namespace weir::datapath
