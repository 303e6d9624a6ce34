#include "datapath/proxy_maps.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "datapath/kernel_object.h"
#include "datapath/steps.h"

namespace weir::datapath {
namespace {

struct PortsRead {
  ProxyPorts::Entries entries;
  std::vector<uint32_t> strays;  // keys that are no ports
};

Result<PortsRead> read_ports(const MapSet& maps) {
  auto elements = maps.proxy_ports().read_all();
  if (!elements) return std::move(elements).error();
  PortsRead read;
  for (const auto& [port, value] : *elements) {
    if (port == 0 || port > UINT16_MAX) {
      read.strays.push_back(port);
      continue;
    }
    IpAddress::Bytes bytes;
    std::memcpy(bytes.data(), value.address, bytes.size());
    read.entries.emplace(static_cast<uint16_t>(port),
                         ProxyPorts::Entry{IpAddress(bytes), ntohs(value.port), value.unused_since, value.flags});
  }
  return read;
}

abi::proxy_port to_abi(const ProxyPorts::Entry& entry) {
  abi::proxy_port value{};
  std::memcpy(value.address, entry.address.bytes().data(), sizeof(value.address));
  value.port = htons(entry.frontend_port);
  value.unused_since = entry.unused_since;
  value.flags = entry.flags;
  return value;
}

/// bpf_get_netns_cookie() of this thread's network namespace; 0 before 5.14.
uint64_t own_netns_cookie() {
  constexpr int kNetnsCookie = 71;  // SO_NETNS_COOKIE
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  return fd && getsockopt(fd.get(), SOL_SOCKET, kNetnsCookie, &cookie, &length) == 0 ? cookie : 0;
}

uint64_t socket_cookie(int fd) {
  uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0 ? cookie : 0;
}

Result<void> check_address(const std::optional<IpAddress>& address, bool v4) {
  if (!address) return {};
  if (address->is_v4() != v4)
    return Error{"the proxy's " + std::string(v4 ? "v4" : "v6") + " address cannot be " + address->to_string(), EINVAL};
  const bool nowhere = address->is_unspecified() || *address == IpAddress::from_v4(0) || address->is_multicast();
  if (nowhere || (!v4 && address->is_link_local()))
    return Error{"nobody can connect to the proxy at " + address->to_string(), EINVAL};
  return {};
}

struct Families {
  bool v4 = false, v6 = false;
};

/// Whose connections a listening socket can get.
Result<Families> families_of_listener(int fd) {
  const auto ask = [fd](int level, int option) {
    int value = 0;
    socklen_t length = sizeof(value);
    return getsockopt(fd, level, option, &value, &length) == 0 ? value : -1;
  };
  const int domain = ask(SOL_SOCKET, SO_DOMAIN);
  if (domain < 0) return errno_error("look at a listener of the proxy");
  if ((domain != AF_INET && domain != AF_INET6) || ask(SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP ||
      ask(SOL_SOCKET, SO_ACCEPTCONN) != 1)
    return Error{"a listener of the proxy must be a TCP socket that listens", EINVAL};
  if (domain == AF_INET) return Families{.v4 = true};
  return Families{.v4 = ask(IPPROTO_IPV6, IPV6_V6ONLY) == 0, .v6 = true};
}

Result<void> put_listener(const MapSet& maps, uint32_t index, int listener) {
  const auto value = static_cast<uint64_t>(listener);
  if (const int error = bpf_map_update_elem(maps.fd(MapId::kProxySockets), &index, &value, BPF_ANY); error < 0)
    return errno_error("write map proxy_sockets", error);
  return {};
}

std::string place_text(const abi::proxy_place& place) {
  const auto address = [](const uint8_t(&bytes)[16]) {
    IpAddress::Bytes copy;
    std::memcpy(copy.data(), bytes, copy.size());
    return IpAddress(copy).is_unspecified() ? std::string("none") : IpAddress(copy).to_string();
  };
  return std::string((place.flags & abi::PROXY_ENABLED) != 0 ? "enabled" : "disabled") + " v4 " + address(place.v4) +
         " v6 " + address(place.v6) + " cgroup " + std::to_string(place.cgroup) + " workers " +
         std::to_string(place.v4_workers) + "+" + std::to_string(place.v6_workers);
}

std::string port_text(const ProxyPorts::Entries& entries, uint16_t port) {
  const auto found = entries.find(port);
  return found == entries.end() ? "not there" : to_text(port, found->second);
}

}  // namespace

Result<void> ProxyMaps::adopt(const MapSet& maps) {
  auto read = read_ports(maps);
  if (!read) return std::move(read).error();
  ports_.restore(read->entries);
  for (const auto& [port, entry] : read->entries)
    if ((entry.flags & abi::PROXY_PORT_GATEWAY) != 0 && !ports_.contains(port)) gateways_.emplace(port, entry);
  auto place = maps.read_proxy_place();
  if (!place) return std::move(place).error();
  place_ = *place;
  return write_ports(maps, read->entries, read->strays);
}

ProxyPorts::Entries ProxyMaps::wanted() const {
  ProxyPorts::Entries all = ports_.entries();
  all.insert(gateways_.begin(), gateways_.end());
  return all;
}

/// Makes the map, which holds `present` and `strays`, what wanted() says.
Result<void> ProxyMaps::write_ports(const MapSet& maps, const ProxyPorts::Entries& present,
                                    const std::vector<uint32_t>& strays) {
  std::vector<uint32_t> keys, gone = strays;
  std::vector<abi::proxy_port> values;
  const ProxyPorts::Entries all = wanted();
  for (const auto& [port, entry] : all) {
    const auto old = present.find(port);
    if (old != present.end() && old->second == entry) continue;
    keys.push_back(port);
    values.push_back(to_abi(entry));
  }
  for (const auto& [port, entry] : present)
    if (!all.contains(port)) gone.push_back(port);
  if (!keys.empty() || !gone.empty()) before_step("write ports of the proxy");
  WEIR_TRY(maps.proxy_ports().update(keys, values));
  return maps.proxy_ports().remove(gone);
}

Result<void> ProxyMaps::reserve(const MapSet& maps, const routing::Plan& plan, uint64_t unix_ns) {
  const ProxyPorts before = ports_;
  const ProxyPorts::Entries present = wanted();
  WEIR_TRY(ports_.reserve(plan, unix_ns));
  auto written = write_ports(maps, present, {});
  if (!written) ports_ = before;
  return written;
}

Result<void> ProxyMaps::set_gateway(const MapSet& maps, std::span<const GatewayPort> ports,
                                    const std::optional<std::vector<IpAddress>>& places) {
  const auto flags = static_cast<uint16_t>(abi::PROXY_PORT_GATEWAY | (places ? abi::PROXY_PORT_BY_ADDRESS : 0));
  ProxyPorts::Entries gateways;
  for (const GatewayPort& port : ports) {
    if (port.port == 0 || port.listener == 0 || ports_.contains(port.port))
      return Error{"port " + std::to_string(port.port) + " cannot be a gateway's: it is one of the proxy's own",
                   EINVAL};
    gateways.emplace(port.port, ProxyPorts::Entry{IpAddress(), port.listener, 0, flags});
  }
  // Places first: a new port must not be open at other addresses for a moment.
  if (places) WEIR_TRY(write_places(maps, *places));
  const ProxyPorts::Entries present = wanted();
  std::swap(gateways_, gateways);
  auto written = write_ports(maps, present, {});
  if (!written) std::swap(gateways_, gateways);
  return written;
}

Result<void> ProxyMaps::write_places(const MapSet& maps, const std::vector<IpAddress>& places) {
  auto present = maps.gateway_places().read_all();
  if (!present) return std::move(present).error();
  std::vector<abi::gateway_place> keys, gone;
  for (const IpAddress& place : places) {
    abi::gateway_place& key = keys.emplace_back();
    std::memcpy(key.address, place.bytes().data(), sizeof(key.address));
  }
  if (keys.size() > abi::MAX_GATEWAY_PLACES)
    return Error{"a gateway at more than " + std::to_string(abi::MAX_GATEWAY_PLACES) + " addresses", ENOSPC};
  for (const auto& element : *present) {
    const abi::gateway_place& old = element.first;
    const auto same = [&](const abi::gateway_place& key) { return std::memcmp(&key, &old, sizeof(key)) == 0; };
    if (std::none_of(keys.begin(), keys.end(), same)) gone.push_back(old);
  }
  before_step("write places of the gateway");
  WEIR_TRY(maps.gateway_places().update(keys, std::vector<uint32_t>(keys.size(), 1)));
  return maps.gateway_places().remove(gone);
}

Result<void> ProxyMaps::set_place(const MapSet& maps, const ProxyPlace& place) {
  WEIR_TRY(check_address(place.v4, true));
  WEIR_TRY(check_address(place.v6, false));
  abi::proxy_place value{};
  if (place.v4) std::memcpy(value.v4, place.v4->bytes().data(), sizeof(value.v4));
  if (place.v6) std::memcpy(value.v6, place.v6->bytes().data(), sizeof(value.v6));
  value.cgroup = place.cgroup_id;
  value.netns = own_netns_cookie();
  if (place.enabled) value.flags |= abi::PROXY_ENABLED;
  if (place.v4 && place.v4->is_loopback()) value.flags |= abi::PROXY_V4_LOOPBACK;
  if (place.v6 && place.v6->is_loopback()) value.flags |= abi::PROXY_V6_LOOPBACK;
  value.v4_workers = place_.v4_workers;
  value.v6_workers = place_.v6_workers;
  before_step("write the proxy's place");
  WEIR_TRY(maps.write_proxy_place(value));
  place_ = value;
  placed_ = true;
  return {};
}

Result<void> ProxyMaps::write_workers(const MapSet& maps, uint16_t abi::proxy_place::*workers, size_t count) {
  abi::proxy_place value = place_;
  value.*workers = static_cast<uint16_t>(count);
  WEIR_TRY(maps.write_proxy_place(value));
  place_ = value;
  return {};
}

Result<void> ProxyMaps::write_group(const MapSet& maps, uint32_t first, const std::vector<int>& fds,
                                    uint16_t abi::proxy_place::*workers) {
  const uint32_t before = std::min<uint32_t>(place_.*workers, abi::MAX_PROXY_WORKERS);
  const auto count = static_cast<uint32_t>(fds.size());
  // At no moment more workers than sockets.
  if (count < before) WEIR_TRY(write_workers(maps, workers, count));
  for (uint32_t i = 0; i < count; ++i) {
    WEIR_TRY(put_listener(maps, first + i, fds[i]));
    by_index_[first + i] = fds[i];
  }
  if (count > before) WEIR_TRY(write_workers(maps, workers, count));
  for (uint32_t i = count; i < before; ++i) {
    const uint32_t index = first + i;
    // A socket that was closed has left the map by itself.
    (void)bpf_map_delete_elem(maps.fd(MapId::kProxySockets), &index);
    by_index_.erase(index);
  }
  return {};
}

Result<void> ProxyMaps::set_listeners(const MapSet& maps, std::span<const int> fds) {
  std::vector<FileDescriptor> listeners;
  std::vector<int> v4, v6;
  for (const int fd : fds) {
    const auto families = families_of_listener(fd);
    if (!families) return families.error();
    auto listener = duplicate(fd, "a listener");
    if (!listener) return std::move(listener).error();
    listeners.push_back(*std::move(listener));
    if (families->v4) v4.push_back(listeners.back().get());
    if (families->v6) v6.push_back(listeners.back().get());
  }
  if (std::max(v4.size(), v6.size()) > abi::MAX_PROXY_WORKERS)
    return Error{"at most " + std::to_string(abi::MAX_PROXY_WORKERS) + " listeners of the proxy", EINVAL};
  before_step("write the proxy's listeners");
  WEIR_TRY(write_group(maps, 0, v4, &abi::proxy_place::v4_workers));
  WEIR_TRY(write_group(maps, abi::MAX_PROXY_WORKERS, v6, &abi::proxy_place::v6_workers));
  listeners_ = std::move(listeners);
  listening_ = true;
  return {};
}

Result<void> ProxyMaps::mend(const MapSet& maps, std::vector<std::string>* drift, size_t* operations) {
  WEIR_TRY(mend_ports(maps, drift, operations));
  WEIR_TRY(mend_place(maps, drift, operations));
  return mend_listeners(maps, drift, operations);
}

Result<void> ProxyMaps::mend_ports(const MapSet& maps, std::vector<std::string>* drift, size_t* operations) {
  auto read = read_ports(maps);
  if (!read) return std::move(read).error();
  const size_t before = drift->size();
  const ProxyPorts::Entries all = wanted();
  for (const auto& [port, entry] : all)
    if (const std::string was = port_text(read->entries, port), is = to_text(port, entry); was != is)
      drift->push_back("proxy port " + std::to_string(port) + ": was " + was + ", is " + is);
  for (const auto& [port, entry] : read->entries)
    if (!all.contains(port))
      drift->push_back("proxy port " + std::to_string(port) + ": was " + to_text(port, entry) + ", is gone");
  for (const uint32_t stray : read->strays) drift->push_back("proxy port " + std::to_string(stray) + ": is gone");
  *operations += drift->size() - before;
  return write_ports(maps, read->entries, read->strays);
}

Result<void> ProxyMaps::mend_place(const MapSet& maps, std::vector<std::string>* drift, size_t* operations) {
  if (!placed_ && !listening_) return {};
  auto read = maps.read_proxy_place();
  if (!read) return std::move(read).error();
  if (std::memcmp(&*read, &place_, sizeof(place_)) == 0) return {};
  WEIR_TRY(maps.write_proxy_place(place_));
  drift->push_back("proxy place: was " + place_text(*read) + ", is " + place_text(place_));
  ++*operations;
  return {};
}

Result<void> ProxyMaps::mend_listeners(const MapSet& maps, std::vector<std::string>* drift, size_t* operations) {
  for (const auto& [i, listener] : by_index_) {
    uint64_t cookie = 0;
    const int error = bpf_map_lookup_elem(maps.fd(MapId::kProxySockets), &i, &cookie);
    if (error == 0 && cookie == socket_cookie(listener)) continue;
    WEIR_TRY(put_listener(maps, i, listener));
    drift->push_back("proxy socket " + std::to_string(i) + ": was " + (error < 0 ? "not there" : "another") +
                     ", is the worker's");
    ++*operations;
  }
  return {};
}

}  // namespace weir::datapath
