#include "datapath/live_sockets.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "base/file_descriptor.h"
#include "datapath/net_sources.h"

namespace weir::datapath {
namespace {

using Cookies = std::unordered_set<uint64_t>;

constexpr uint32_t kMptcp = 262;

/// The question, with an attribute for a protocol that does not fit into 8 bits (since 5.9).
struct Request {
  nlmsghdr header{};
  inet_diag_req_v2 body{};
  nlattr attribute{};
  uint32_t protocol = 0;
};
static_assert(sizeof(Request) == sizeof(nlmsghdr) + sizeof(inet_diag_req_v2) + sizeof(nlattr) + 4);

Request question(int family, uint32_t protocol) {
  Request request;
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = static_cast<uint8_t>(family);
  request.body.sdiag_protocol = static_cast<uint8_t>(protocol);
  request.body.idiag_states = ~(1U << TCP_TIME_WAIT);  // what is left of a connection, no socket
  request.attribute.nla_len = sizeof(nlattr) + sizeof(uint32_t);
  request.attribute.nla_type = INET_DIAG_REQ_PROTOCOL;
  request.protocol = protocol;
  return request;
}

/// 1: there is more to come; 0: that was all; else a negative errno.
int take_messages(const char* data, size_t size, Cookies* cookies) {
  while (size >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    std::memcpy(&header, data, sizeof(header));
    if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > size) return -EPROTO;
    const char* body = data + sizeof(header);
    const size_t length = header.nlmsg_len - sizeof(header);
    int error = 0;
    if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
      if (length >= sizeof(error)) std::memcpy(&error, body, sizeof(error));
      return error < 0 ? error : 0;
    }
    if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY && length >= sizeof(inet_diag_msg)) {
      inet_diag_msg message;
      std::memcpy(&message, body, sizeof(message));
      cookies->insert(message.id.idiag_cookie[0] | uint64_t{message.id.idiag_cookie[1]} << 32);
    }
    const size_t step = std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), size);
    data += step;
    size -= step;
  }
  return 1;
}

/// 0 or a negative errno.
int list_sockets(int netlink, int family, uint32_t protocol, Cookies* cookies) {
  const Request request = question(family, protocol);
  if (send(netlink, &request, sizeof(request), 0) < 0) return -errno;
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const ssize_t got = recv(netlink, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 ? -errno : -EPROTO;
    if (const int more = take_messages(buffer.data(), static_cast<size_t>(got), cookies); more <= 0) return more;
  }
}

/// Of the namespace that the thread is in.
Result<void> list_namespace(Cookies* cookies) {
  const FileDescriptor netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink) return errno_error("open a socket to list sockets with");
  const struct {
    int family;
    uint32_t protocol;
    bool may_lack;  // a kernel without it has no such sockets
    const char* name;
  } kinds[] = {{AF_INET, IPPROTO_TCP, false, "TCP sockets (tcp_diag)"},
               {AF_INET6, IPPROTO_TCP, true, "TCP sockets (tcp_diag)"},
               {AF_INET, kMptcp, true, "MPTCP sockets (mptcp_diag)"},
               {AF_INET6, kMptcp, true, "MPTCP sockets (mptcp_diag)"}};
  for (const auto& kind : kinds) {
    const int error = list_sockets(netlink.get(), kind.family, kind.protocol, cookies);
    if (error == 0 || (kind.may_lack && (error == -ENOENT || error == -EINVAL))) continue;
    return errno_error(std::string("list ") + kind.name, error);
  }
  return {};
}

}  // namespace

Result<Cookies> live_socket_cookies(const std::string& proc, const std::string& run_netns) {
  Cookies cookies;
  std::optional<Error> failed;
  const auto visit = [&](uint64_t inode, std::optional<Error> error) {
    if (failed) return;
    if (!error)
      if (auto listed = list_namespace(&cookies); !listed) error = std::move(listed).error();
    if (error) failed = std::move(*error).context("network namespace " + std::to_string(inode));
  };
  WEIR_TRY(visit_net_namespaces(visit, proc, run_netns));
  if (failed) return *std::move(failed);
  return cookies;
}

}  // namespace weir::datapath
