#include "packet_text.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace weir::datapath::test {
namespace {

/// An IP packet with its parts' places.
struct Parts {
  bool v4 = true;
  IpAddress source, destination;
  uint8_t protocol = 0, ttl = 0;
  size_t header = 0;  // bytes
  size_t length = 0;  // of the packet, as its header says
};

std::optional<Parts> take_apart(const uint8_t* ip, size_t have) {
  Parts parts;
  if (have < 20) return std::nullopt;
  if (ip[0] >> 4 == 4) {
    parts.header = size_t{ip[0] & 15U} * 4;
    parts.length = static_cast<size_t>(ip[2] << 8 | ip[3]);
    parts.ttl = ip[8];
    parts.protocol = ip[9];
    uint32_t address = 0;
    std::memcpy(&address, ip + 12, 4);
    parts.source = IpAddress::from_v4(address);
    std::memcpy(&address, ip + 16, 4);
    parts.destination = IpAddress::from_v4(address);
    return have >= parts.header ? std::optional(parts) : std::nullopt;
  }
  if (ip[0] >> 4 != 6 || have < 40) return std::nullopt;
  parts.v4 = false;
  parts.header = 40;
  parts.length = static_cast<size_t>(ip[4] << 8 | ip[5]) + 40;
  parts.protocol = ip[6];
  parts.ttl = ip[7];
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), ip + 8, 16);
  parts.source = IpAddress(bytes);
  std::memcpy(bytes.data(), ip + 24, 16);
  parts.destination = IpAddress(bytes);
  return parts;
}

bool is_error(const Parts& parts, uint8_t type) {
  if (parts.protocol == IPPROTO_ICMPV6) return type < 128;
  return parts.protocol == IPPROTO_ICMP && (type == 3 || type == 4 || type == 11 || type == 12);
}

std::string ip_text(const uint8_t* ip, size_t have, bool quoted) {
  const auto parts = take_apart(ip, have);
  if (!parts) return "truncated";
  const uint8_t* body = ip + parts->header;
  const size_t rest = have - parts->header;
  const std::string ttl = quoted ? "" : " ttl " + std::to_string(parts->ttl);
  const auto port = [&](size_t at) { return static_cast<uint16_t>(body[at] << 8 | body[at + 1]); };
  if ((parts->protocol == IPPROTO_TCP || parts->protocol == IPPROTO_UDP) && rest >= 8) {
    std::string text = to_string(parts->source, port(0)) + " > " + to_string(parts->destination, port(2));
    if (parts->protocol == IPPROTO_UDP)
      return text + " udp" + (port(6) == 0 ? " unchecked" : "") + ttl +
             (quoted ? "" : " data " + std::to_string(rest - 8));
    text += " tcp";
    if (rest < 20) return text + ttl;
    std::string flags;
    for (const auto& [bit, name] : {std::pair{2, 'S'}, {16, 'A'}, {1, 'F'}, {4, 'R'}})
      if ((body[13] & bit) != 0) flags += name;
    const size_t header = static_cast<size_t>(body[12] >> 4) * 4;
    return text + (flags.empty() ? "" : " " + flags) + ttl +
           (quoted ? "" : " data " + std::to_string(rest - std::min(rest, header)));
  }
  std::string text = parts->source.to_string() + " > " + parts->destination.to_string();
  if ((parts->protocol == IPPROTO_ICMP || parts->protocol == IPPROTO_ICMPV6) && rest >= 8) {
    text += " icmp " + std::to_string(body[0]) + "/" + std::to_string(body[1]) + ttl;
    if (is_error(*parts, body[0])) text += " about {" + ip_text(body + 8, rest - 8, true) + "}";
    return text;
  }
  return text + " protocol " + std::to_string(parts->protocol) + ttl;
}

std::string check_ip(const uint8_t* ip, size_t have, const std::string& where);

std::string check_body(const Parts& parts, const uint8_t* body, const std::string& where) {
  const size_t length = parts.length - parts.header;
  const uint32_t pseudo =
      parts.protocol == IPPROTO_ICMP ? 0 : pseudo_sum(parts.source, parts.destination, parts.protocol, length);
  const bool right = fold(add_words(body, length, pseudo)) == 0xffff;
  switch (parts.protocol) {
    case IPPROTO_TCP:
      return length < 20 || right ? "" : where + "wrong TCP checksum";
    case IPPROTO_UDP:
      return length < 8 || (body[6] == 0 && body[7] == 0) || right ? "" : where + "wrong UDP checksum";
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      if (length < 8) return "";
      if (!right) return where + "wrong ICMP checksum";
      return is_error(parts, body[0]) ? check_ip(body + 8, length - 8, where + "quoted: ") : "";
    default:
      return "";
  }
}

std::string check_ip(const uint8_t* ip, size_t have, const std::string& where) {
  const auto parts = take_apart(ip, have);
  if (!parts) return "";
  if (parts->v4 && fold(add_words(ip, parts->header)) != 0xffff) return where + "wrong IP checksum";
  if (parts->length > have || parts->length < parts->header) return "";
  return check_body(*parts, ip + parts->header, where);
}

}  // namespace

uint16_t get16(const Frame& frame, size_t at) {
  return static_cast<uint16_t>(frame[at] << 8 | frame[at + 1]);
}

size_t l3_of(const Frame& frame) {
  size_t at = 12;
  while (at + 4 < frame.size() && (get16(frame, at) == 0x8100 || get16(frame, at) == 0x88a8)) at += 4;
  return at + 2;
}

bool is_v4(const Frame& frame) {
  return frame[l3_of(frame)] >> 4 == 4;
}

size_t l4_of(const Frame& frame) {
  return l3_of(frame) + (is_v4(frame) ? 20 : 40);
}

std::string to_text(const Frame& frame) {
  std::string text;
  for (size_t at = 14; at < l3_of(frame); at += 4) text += "tag " + std::to_string(get16(frame, at)) + " ";
  const size_t l3 = std::min(l3_of(frame), frame.size());  // cut within a tag
  return text + ip_text(frame.data() + l3, frame.size() - l3, false);
}

std::string wrong_checksum(const Frame& frame) {
  const size_t l3 = std::min(l3_of(frame), frame.size());
  return check_ip(frame.data() + l3, frame.size() - l3, "");
}

Frame swapped(Frame frame) {
  const size_t l3 = l3_of(frame), l4 = l4_of(frame);
  const bool v4 = is_v4(frame);
  const size_t size = v4 ? 4 : 16, source = l3 + (v4 ? 12 : 8);
  const auto swap = [&](size_t at, size_t bytes) {
    std::swap_ranges(frame.begin() + static_cast<long>(at), frame.begin() + static_cast<long>(at + bytes),
                     frame.begin() + static_cast<long>(at + bytes));
  };
  swap(0, 6);
  swap(source, size);
  swap(l4, 2);
  return frame;
}

}  // namespace weir::datapath::test
