#include "datapath/north_device.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/file_descriptor.h"

namespace weir::datapath {
namespace {

ifreq request_for(const std::string& name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  return request;
}

/// Driver and bus. Devices that do not answer have neither.
void ask_driver(int socket, DeviceFacts* facts) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  ifreq request = request_for(facts->name);
  request.ifr_data = reinterpret_cast<char*>(&info);
  if (ioctl(socket, SIOCETHTOOL, &request) != 0) return;
  const auto text = [](const char* chars, size_t most) { return std::string(chars, strnlen(chars, most)); };
  facts->driver = text(info.driver, sizeof(info.driver));
  const std::string bus = text(info.bus_info, sizeof(info.bus_info));
  // Tunnels and taps say so, VLANs and bridges "N/A".
  facts->physical = !bus.empty() && bus != "N/A" && bus != "tap" && bus != "tun" && facts->driver != "tun";
}

}  // namespace

Result<DeviceFacts> device_facts(const std::string& name) {
  DeviceFacts facts;
  facts.name = name;
  if (name.empty() || name.size() >= IFNAMSIZ) return Error{"no device can be called '" + name + "'", ENODEV};
  facts.ifindex = if_nametoindex(name.c_str());
  if (facts.ifindex == 0) return errno_error("device " + name);
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error("open a socket");
  ifreq request = request_for(name);
  if (ioctl(fd.get(), SIOCGIFHWADDR, &request) != 0) return errno_error("ask what kind of device " + name + " is");
  facts.ethernet = request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
  facts.loopback = request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
  if (ioctl(fd.get(), SIOCGIFMTU, &request) != 0) return errno_error("ask for the MTU of " + name);
  facts.mtu = static_cast<uint32_t>(request.ifr_mtu);
  ask_driver(fd.get(), &facts);
  return facts;
}

std::string why_no_xdp(const DeviceFacts& device) {
  if (device.driver == "veth") return "veth: XDP would cost it its offloads";
  if (!device.physical) return (device.driver.empty() ? "virtual device" : device.driver) + ": not a physical device";
  return {};
}

}  // namespace weir::datapath
