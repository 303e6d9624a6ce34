#pragma once
// A name server on loopback, over UDP and TCP, that says what the test tells it to. On the test's event loop.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/node/event_loop.h"
#include "base/ip_address.h"
#include "net/socket.h"

namespace weir::agent {

inline constexpr int kA = 1, kCname = 5, kAaaa = 28;

struct DnsRecord {
  std::string name;
  int type = kA;
  uint32_t ttl = 0;
  std::string data;  // an address, or a name
};

struct DnsReply {
  int rcode = 0;
  std::vector<DnsRecord> records;
  bool silent = false, truncated = false;  // truncated: over UDP alone
  std::string garbage;                     // sent as it is, in place of all else
};

class DnsServer {
 public:
  /// Asked for each question; the loop's thread.
  std::function<DnsReply(const std::string& name, int type, bool tcp)> answer;
  std::vector<std::string> asked;  // names, in order; the loop's thread

  explicit DnsServer(EventLoop& loop) : loop_(loop) {
    auto listener = net::listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
    EXPECT_TRUE(listener);
    tcp_ = std::move(*listener);
    address_ = *net::local_address(tcp_.get());
    udp_.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const net::RawAddress raw = net::to_raw(address_);
    EXPECT_EQ(::bind(udp_.get(), raw.get(), raw.length), 0);
    EXPECT_TRUE(loop.add(udp_.get(), [this] { on_datagram(); }));
    EXPECT_TRUE(loop.add(tcp_.get(), [this] { on_connection(); }));
  }
  [[nodiscard]] std::string address() const { return address_.to_string(); }

 private:
  static void put16(std::string& out, unsigned value) {
    out += static_cast<char>(value >> 8 & 255);
    out += static_cast<char>(value & 255);
  }
  static void put_name(std::string& out, std::string_view name) {
    while (!name.empty()) {
      const std::string_view label = name.substr(0, name.find('.'));
      out += static_cast<char>(label.size());
      out += label;
      name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    out += '\0';
  }
  static void put_record(std::string& out, const DnsRecord& record) {
    put_name(out, record.name);
    put16(out, static_cast<unsigned>(record.type));
    put16(out, 1);
    put16(out, record.ttl >> 16);
    put16(out, record.ttl & 0xffff);
    std::string data;
    if (record.type == kCname) {
      put_name(data, record.data);
    } else {
      const IpAddress address = *IpAddress::parse(record.data);
      const auto& bytes = address.bytes();
      data.assign(reinterpret_cast<const char*>(bytes.data()) + (record.type == kA ? 12 : 0),
                  record.type == kA ? 4 : 16);
    }
    put16(out, static_cast<unsigned>(data.size()));
    out += data;
  }

  /// Empty: says nothing.
  std::string respond(std::string_view query, bool tcp) {
    if (query.size() < 17) return {};
    std::string name;
    size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<size_t>(query[at]);
      name += (name.empty() ? "" : ".") + std::string(query.substr(at + 1, length));
      at += length + 1;
    }
    const int type = static_cast<uint8_t>(query[at + 1]) << 8 | static_cast<uint8_t>(query[at + 2]);
    asked.push_back(name);
    const DnsReply reply = answer(name, type, tcp);
    if (reply.silent) return {};
    if (!reply.garbage.empty()) return std::string(query.substr(0, 2)) + reply.garbage;
    std::string out(query.substr(0, 2));
    const bool cut = reply.truncated && !tcp;
    out += static_cast<char>(0x81 | (cut ? 2 : 0));
    out += static_cast<char>(0x80 | reply.rcode);
    put16(out, 1);
    put16(out, cut ? 0 : static_cast<unsigned>(reply.records.size()));
    put16(out, 0);
    put16(out, 0);
    out += query.substr(12, at + 5 - 12);
    if (!cut)
      for (const DnsRecord& record : reply.records) put_record(out, record);
    return out;
  }

  void on_datagram() {
    char buffer[2048];
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    for (;;) {
      const ssize_t count =
          ::recvfrom(udp_.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (count < 0) return;
      const std::string out = respond({buffer, static_cast<size_t>(count)}, false);
      if (!out.empty()) ::sendto(udp_.get(), out.data(), out.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
    }
  }
  void on_connection() {
    FileDescriptor fd(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    const int raw = fd.get();
    connections_[raw].first = std::move(fd);
    EXPECT_TRUE(loop_.add(raw, [this, raw] { on_bytes(raw); }));
  }
  void on_bytes(int raw) {
    auto& [fd, received] = connections_[raw];
    char buffer[2048];
    const ssize_t count = ::recv(raw, buffer, sizeof buffer, 0);
    if (count <= 0) {
      loop_.remove(raw);
      connections_.erase(raw);
      return;
    }
    received.append(buffer, static_cast<size_t>(count));
    while (received.size() >= 2) {
      const size_t size =
          static_cast<size_t>(static_cast<uint8_t>(received[0]) << 8 | static_cast<uint8_t>(received[1]));
      if (received.size() < size + 2) return;
      const std::string out = respond(std::string_view(received).substr(2, size), true);
      received.erase(0, size + 2);
      std::string framed;
      put16(framed, static_cast<unsigned>(out.size()));
      framed += out;
      if (!out.empty()) ::send(raw, framed.data(), framed.size(), MSG_NOSIGNAL);
    }
  }

  EventLoop& loop_;
  FileDescriptor udp_, tcp_;
  net::SocketAddress address_;
  std::map<int, std::pair<FileDescriptor, std::string>> connections_;
};

}  // namespace weir::agent
