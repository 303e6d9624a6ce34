#include "packet_builder.h"

#include <netinet/in.h>

#include <algorithm>
#include <utility>

namespace weir::datapath::test {
namespace {

void put16(Frame* frame, size_t value) {
  frame->push_back(static_cast<uint8_t>(value >> 8));
  frame->push_back(static_cast<uint8_t>(value));
}

void put32(Frame* frame, uint32_t value) {
  put16(frame, value >> 16);
  put16(frame, value & 0xffff);
}

void put(Frame* frame, const uint8_t* bytes, size_t count) {
  frame->insert(frame->end(), bytes, bytes + count);
}

void set16(Frame* frame, size_t at, size_t value) {
  (*frame)[at] = static_cast<uint8_t>(value >> 8);
  (*frame)[at + 1] = static_cast<uint8_t>(value);
}

}  // namespace

uint32_t add_words(const uint8_t* bytes, size_t count, uint32_t sum) {
  for (size_t i = 0; i + 1 < count; i += 2) sum += static_cast<uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  if (count % 2 != 0) sum += static_cast<uint32_t>(bytes[count - 1] << 8);
  return sum;
}

uint16_t fold(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

uint32_t pseudo_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol, size_t length) {
  const size_t from = source.is_v4() ? 12 : 0;
  uint32_t sum = add_words(source.bytes().data() + from, 16 - from);
  sum = add_words(destination.bytes().data() + from, 16 - from, sum);
  return sum + protocol + static_cast<uint32_t>(length);
}

Packet& Packet::link(Mac from, Mac to) {
  from_ = from;
  to_ = to;
  return *this;
}
Packet& Packet::tag(uint16_t id, bool service) {
  tags_.push_back({id, service});
  return *this;
}
Packet& Packet::ethertype(uint16_t type) {
  ethertype_ = type;
  return *this;
}
Packet& Packet::ip(const std::string& source, const std::string& destination) {
  source_ = *IpAddress::parse(source);
  destination_ = *IpAddress::parse(destination);
  return *this;
}
Packet& Packet::ttl(uint8_t hops) {
  ttl_ = hops;
  return *this;
}
Packet& Packet::options(size_t words) {
  options_ = words;
  return *this;
}
Packet& Packet::fragment(uint16_t offset, bool more) {
  fragmented_ = true;
  fragment_ = static_cast<uint16_t>(offset | (more ? 0x2000 : 0));
  return *this;
}
Packet& Packet::extension(uint8_t number) {
  extension_ = number;
  return *this;
}
Packet& Packet::total_length(int off) {
  length_off_ = off;
  return *this;
}
Packet& Packet::tcp(uint16_t source, uint16_t destination) {
  protocol_ = IPPROTO_TCP;
  source_port_ = source;
  destination_port_ = destination;
  return *this;
}
Packet& Packet::syn() {
  flags_ |= 2;
  return *this;
}
Packet& Packet::ack(uint32_t number) {
  flags_ |= 16;
  acknowledged_ = number;
  return *this;
}
Packet& Packet::fin() {
  flags_ |= 1;
  return *this;
}
Packet& Packet::rst() {
  flags_ |= 4;
  return *this;
}
Packet& Packet::sequence(uint32_t number) {
  sequence_ = number;
  return *this;
}
Packet& Packet::data_offset(uint8_t words) {
  doff_ = words;
  return *this;
}
Packet& Packet::udp(uint16_t source, uint16_t destination) {
  protocol_ = IPPROTO_UDP;
  source_port_ = source;
  destination_port_ = destination;
  return *this;
}
Packet& Packet::no_checksum() {
  no_checksum_ = true;
  return *this;
}
Packet& Packet::wrong_checksum() {
  wrong_checksum_ = true;
  return *this;
}
Packet& Packet::icmp(uint8_t type, uint8_t code, uint32_t rest) {
  protocol_ = static_cast<uint8_t>(source_.is_v4() ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6});
  icmp_type_ = type;
  icmp_code_ = code;
  rest_ = rest;
  return *this;
}
Packet& Packet::about(const Frame& frame, size_t bytes) {
  payload_.assign(frame.begin() + 14, frame.begin() + 14 + static_cast<long>(std::min(bytes, frame.size() - 14)));
  return *this;
}
Packet& Packet::protocol(uint8_t number) {
  protocol_ = number;
  return *this;
}
Packet& Packet::payload(size_t bytes, uint8_t seed) {
  payload_.resize(bytes);
  for (size_t i = 0; i < bytes; ++i) payload_[i] = static_cast<uint8_t>(seed + i * 37);
  return *this;
}
Packet& Packet::payload(std::vector<uint8_t> bytes) {
  payload_ = std::move(bytes);
  return *this;
}

uint16_t Packet::type() const {
  if (ethertype_ != 0) return ethertype_;
  return source_.is_v4() ? 0x0800 : 0x86dd;
}

Frame Packet::make_body() const {
  Frame body;
  size_t check = 0;
  if (protocol_ == IPPROTO_TCP || protocol_ == IPPROTO_UDP) {
    put16(&body, source_port_);
    put16(&body, destination_port_);
  }
  if (protocol_ == IPPROTO_TCP) {
    put32(&body, sequence_);
    put32(&body, acknowledged_);
    body.push_back(static_cast<uint8_t>(doff_ << 4));
    body.push_back(flags_);
    put16(&body, 64000);
    check = body.size();
    put32(&body, 0);
    for (int i = 5; i < doff_; ++i) put32(&body, 0x01010101);  // no-operations
  } else if (protocol_ == IPPROTO_UDP) {
    put16(&body, 8 + payload_.size());
    check = body.size();
    put16(&body, 0);
  } else if (protocol_ == IPPROTO_ICMP || protocol_ == IPPROTO_ICMPV6) {
    body.push_back(icmp_type_);
    body.push_back(icmp_code_);
    check = body.size();
    put16(&body, 0);
    put32(&body, rest_);
  }
  put(&body, payload_.data(), payload_.size());
  if (check == 0 || no_checksum_) return body;
  const uint32_t pseudo = protocol_ == IPPROTO_ICMP ? 0 : pseudo_sum(source_, destination_, protocol_, body.size());
  auto sum = static_cast<uint16_t>(~fold(add_words(body.data(), body.size(), pseudo)));
  if (wrong_checksum_) ++sum;
  if (sum == 0 && protocol_ == IPPROTO_UDP) sum = 0xffff;
  set16(&body, check, sum);
  return body;
}

void Packet::add_ip(Frame* frame, size_t body) const {
  const size_t at = frame->size();
  if (!source_.is_v4()) {
    const bool extended = extension_ >= 0 || fragmented_;
    put32(frame, 0x60000000);
    put16(frame, body + (extended ? 8 : 0) + static_cast<size_t>(length_off_));
    frame->push_back(fragmented_ ? static_cast<uint8_t>(IPPROTO_FRAGMENT)
                     : extended  ? static_cast<uint8_t>(extension_)
                                 : protocol_);
    frame->push_back(ttl_);
    put(frame, source_.bytes().data(), 16);
    put(frame, destination_.bytes().data(), 16);
    if (!extended) return;
    frame->push_back(protocol_);
    frame->push_back(0);
    put16(frame, fragmented_ ? static_cast<size_t>((fragment_ & 0x1fff) << 3 | (fragment_ >> 13 & 1)) : 0x0104);
    put32(frame, 0);
    return;
  }
  frame->push_back(static_cast<uint8_t>(0x45 + options_));
  frame->push_back(0);
  put16(frame, 20 + options_ * 4 + body + static_cast<size_t>(length_off_));
  put16(frame, 0x1234);
  put16(frame, fragmented_ ? fragment_ : 0x4000);
  frame->push_back(ttl_);
  frame->push_back(protocol_);
  put16(frame, 0);
  put(frame, source_.bytes().data() + 12, 4);
  put(frame, destination_.bytes().data() + 12, 4);
  for (size_t i = 0; i < options_; ++i) put32(frame, 0x01010101);
  set16(frame, at + 10, static_cast<uint16_t>(~fold(add_words(frame->data() + at, frame->size() - at))));
}

Frame Packet::build() const {
  Frame frame;
  put(&frame, to_.data(), to_.size());
  put(&frame, from_.data(), from_.size());
  for (const Tag& tag : tags_) {
    put16(&frame, tag.service ? 0x88a8 : 0x8100);
    put16(&frame, tag.id);
  }
  put16(&frame, type());
  const Frame body = make_body();
  if (ethertype_ == 0) add_ip(&frame, body.size());
  put(&frame, body.data(), body.size());
  return frame;
}

}  // namespace weir::datapath::test
