#pragma once
// Frames as data: Packet().v4("198.51.100.7", "203.0.113.1").tcp(40000, 80).syn().build(). Checksums are computed in
// full unless a call says otherwise.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"

namespace weir::datapath::test {

using Frame = std::vector<uint8_t>;
using Mac = std::array<uint8_t, 6>;

inline constexpr Mac kClientMac{2, 0, 0, 0, 0, 1};
inline constexpr Mac kNodeMac{2, 0, 0, 0, 0, 2};

class Packet {
 public:
  Packet& link(Mac from, Mac to);
  /// An 802.1Q tag (802.1ad with `service`), outermost first.
  Packet& tag(uint16_t id, bool service = false);
  /// In place of IPv4 or IPv6.
  Packet& ethertype(uint16_t type);
  Packet& ip(const std::string& source, const std::string& destination);  // either version
  Packet& ttl(uint8_t hops);
  Packet& options(size_t words);                 // IPv4
  Packet& fragment(uint16_t offset, bool more);  // IPv4: in units of 8 bytes; IPv6: a fragment header
  Packet& extension(uint8_t next_header_of_it);  // IPv6: 8 bytes of an extension header of this number
  Packet& total_length(int off);                 // adds `off` to what the IP header says
  Packet& tcp(uint16_t source, uint16_t destination);
  Packet& syn();
  Packet& ack(uint32_t number = 1);
  Packet& fin();
  Packet& rst();
  Packet& sequence(uint32_t number);
  Packet& data_offset(uint8_t words);
  Packet& udp(uint16_t source, uint16_t destination);
  Packet& no_checksum();                                        // UDP: 0
  Packet& wrong_checksum();                                     // TCP, UDP: off by one
  Packet& icmp(uint8_t type, uint8_t code, uint32_t rest = 0);  // of the IP version
  Packet& about(const Frame& frame, size_t bytes);              // ICMP: its IP packet's first bytes
  Packet& protocol(uint8_t number);                             // any other
  Packet& payload(size_t bytes, uint8_t seed = 1);
  Packet& payload(std::vector<uint8_t> bytes);
  [[nodiscard]] Frame build() const;

 private:
  struct Tag {
    uint16_t id;
    bool service;
  };
  void add_ip(Frame* frame, size_t body) const;
  [[nodiscard]] Frame make_body() const;
  [[nodiscard]] uint16_t type() const;

  Mac from_ = kClientMac, to_ = kNodeMac;
  std::vector<Tag> tags_;
  uint16_t ethertype_ = 0;
  IpAddress source_, destination_;
  uint8_t ttl_ = 64, protocol_ = 0, doff_ = 5, flags_ = 0;
  int extension_ = -1;
  size_t options_ = 0;
  int length_off_ = 0;
  uint16_t fragment_ = 0;
  bool fragmented_ = false, no_checksum_ = false, wrong_checksum_ = false;
  uint16_t source_port_ = 0, destination_port_ = 0;
  uint32_t sequence_ = 1000, acknowledged_ = 0, rest_ = 0;
  uint8_t icmp_type_ = 0, icmp_code_ = 0;
  std::vector<uint8_t> payload_;
};

/// RFC 1071 over `bytes`, with `sum` to begin with; not yet inverted.
uint32_t add_words(const uint8_t* bytes, size_t count, uint32_t sum = 0);
uint16_t fold(uint32_t sum);
/// Of the pseudo-header.
uint32_t pseudo_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol, size_t length);

}  // namespace weir::datapath::test
