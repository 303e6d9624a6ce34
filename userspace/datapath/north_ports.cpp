// Which ports the node may keep for itself.

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "datapath/north.h"

namespace weir::datapath {
namespace {

struct PortRange {
  uint32_t first = 0, last = 0;
};

std::optional<uint32_t> number(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > 65535) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

/// "32768\t60999".
std::optional<PortRange> local_range_of(std::string_view text) {
  text = trimmed(text);
  const size_t gap = text.find_first_of(" \t");
  if (gap == std::string_view::npos) return std::nullopt;
  const auto first = number(text.substr(0, gap)), last = number(text.substr(text.find_last_of(" \t") + 1));
  if (!first || !last) return std::nullopt;
  return PortRange{*first, *last};
}

/// "8080,20000-29999". What cannot be read reserves nothing.
std::vector<PortRange> reserved_of(std::string_view text) {
  std::vector<PortRange> ranges;
  text = trimmed(text);
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const size_t dash = std::min(part.find('-'), part.size());
    const auto first = number(part.substr(0, dash));
    const auto last = dash == part.size() ? first : number(part.substr(dash + 1));
    if (first && last) ranges.push_back({*first, *last});
  }
  return ranges;
}

}  // namespace

Result<void> check_ports(uint16_t first, uint16_t count, std::string_view local_range, std::string_view reserved) {
  constexpr uint32_t kPrivileged = 1024, kFewest = 8;
  const uint32_t last = uint32_t{first} + count - 1;
  const std::string text = std::to_string(first) + "-" + std::to_string(last);
  if (count < kFewest) return Error{"reserved ports: " + std::to_string(count) + " are too few, at least 8", EINVAL};
  if (first < kPrivileged || last > 65535)
    return Error{"reserved ports: " + text + " is not within 1024-65535", EINVAL};
  const auto local = local_range_of(local_range);
  if (!local) return {};
  const auto ranges = reserved_of(reserved);
  for (uint32_t port = std::max<uint32_t>(first, local->first); port <= std::min(last, local->last); ++port) {
    const bool kept = std::any_of(ranges.begin(), ranges.end(),
                                  [&](const PortRange& range) { return range.first <= port && port <= range.last; });
    if (!kept)
      return Error{"reserved ports: " + text + " and net.ipv4.ip_local_port_range (" + std::to_string(local->first) +
                       "-" + std::to_string(local->last) + ") both have port " + std::to_string(port) +
                       "; choose others or put them into net.ipv4.ip_local_reserved_ports",
                   EADDRINUSE};
  }
  return {};
}

}  // namespace weir::datapath
