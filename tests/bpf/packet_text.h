#pragma once
// What a frame says, read by code that shares nothing with the programs under test.

#include <optional>
#include <string>

#include "packet_builder.h"

namespace weir::datapath::test {

/// "198.51.100.7:40000 > 10.0.0.5:8080 tcp S ttl 63 data 20"; before it " tag 5" for each VLAN tag; for an ICMP error
/// "198.51.100.7 > 10.0.0.5 icmp 3/4 ttl 63 about {…}".
std::string to_text(const Frame& frame);

/// Recomputes every checksum in full: IP header, TCP, UDP, ICMP, and of a quoted packet its IP header and, if all of it
/// is there, the rest. Empty: all are right (a UDP checksum of 0 is none and right).
std::string wrong_checksum(const Frame& frame);

/// The answer to a TCP or UDP frame: link-layer addresses, addresses and ports swapped, nothing else; checksums stay
/// right by that.
Frame swapped(Frame frame);

/// Offset of the IP header.
size_t l3_of(const Frame& frame);
bool is_v4(const Frame& frame);
/// Offset of the transport header of a frame without options or extension headers.
size_t l4_of(const Frame& frame);
uint16_t get16(const Frame& frame, size_t at);

}  // namespace weir::datapath::test
