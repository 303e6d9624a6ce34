#include "proxy_process/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "proxy_process/memory_file.h"

namespace weir::proxy_process {
namespace {

constexpr size_t kMostFds = kMaxMessageFds + 1;  // and the memory file

/// False: `deadline` has come.
Result<bool> wait_for(int fd, short events, Channel::Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Channel::Clock::now()).count();
    pollfd entry{fd, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000)));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return errno_error("poll of the control channel");
  }
}

/// Room for the descriptors of one message, aligned as the kernel wants it.
struct ControlBuffer {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMostFds)> bytes{};
};

void enclose(msghdr& header, ControlBuffer& buffer, std::span<const int> fds) {
  if (fds.empty()) return;
  header.msg_control = buffer.bytes.data();
  header.msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(control), fds.data(), fds.size_bytes());
}

/// Every descriptor that came is owned before anything is judged, so that a refused message leaks none.
void take_fds(msghdr& header, std::vector<FileDescriptor>& fds) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
}

}  // namespace

Channel::Channel(FileDescriptor socket, ChannelLimits limits) : socket_(std::move(socket)), limits_(limits) {}

Result<void> Channel::send(const Message& message, Clock::time_point deadline, std::span<const int> fds,
                           std::string_view blob) {
  if (fds.size() > kMaxMessageFds) return Error{"too many descriptors for one message", EINVAL};
  auto bytes = to_bytes(message, {fds.size(), blob.size()});
  if (!bytes) return std::move(bytes).error();
  std::vector<int> all(fds.begin(), fds.end());
  FileDescriptor memory;
  if (!blob.empty()) {
    auto made = make_memory_file(blob);
    if (!made) return std::move(made).error();
    memory = std::move(*made);
    all.push_back(memory.get());
  }
  iovec part{bytes->data(), bytes->size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ControlBuffer buffer;
  enclose(header, buffer, all);
  while (::sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    if (errno == ECONNRESET || errno == ENOTCONN) return Error{"the other end has gone", EPIPE};
    if (errno != EAGAIN && errno != EWOULDBLOCK) return errno_error("send on the control channel");
    const auto room = wait_for(socket_.get(), POLLOUT, deadline);
    if (!room) return room.error();
    if (!*room) return Error{"the other end does not read", ETIMEDOUT};
  }
  return {};
}

Result<std::string> Channel::receive_datagram(std::vector<FileDescriptor>& fds) {
  std::string bytes(kMaxMessageBytes, '\0');
  iovec part{bytes.data(), bytes.size()};
  ControlBuffer buffer;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = buffer.bytes.data();
  header.msg_controllen = buffer.bytes.size();
  ssize_t count = 0;
  do count = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == ECONNRESET) return Error{"the other end has gone", EPIPE};
  if (count < 0) return errno_error("receive on the control channel");
  take_fds(header, fds);
  if ((header.msg_flags & MSG_TRUNC) != 0) return Error{"message is too long", EMSGSIZE};
  if ((header.msg_flags & MSG_CTRUNC) != 0) return Error{"too many descriptors beside a message", EMSGSIZE};
  if (count == 0) return Error{"the other end has gone", EPIPE};  // an empty datagram is no message either
  bytes.resize(static_cast<size_t>(count));
  return bytes;
}

Result<std::optional<Packet>> Channel::receive(Clock::time_point deadline) {
  const auto ready = wait_for(socket_.get(), POLLIN, deadline);
  if (!ready) return ready.error();
  if (!*ready) return std::optional<Packet>();
  std::vector<FileDescriptor> fds;
  const auto bytes = receive_datagram(fds);
  if (!bytes && (bytes.error().code == EAGAIN || bytes.error().code == EWOULDBLOCK)) return std::optional<Packet>();
  if (!bytes) return bytes.error();
  auto read = read_message(*bytes);
  if (!read) return std::move(read).error();
  const auto& enclosed = read->enclosed;
  const size_t told = enclosed.fds + (enclosed.blob_bytes > 0 ? 1 : 0);
  if (fds.size() != told) return Error{"message \"" + read->message.type + "\" has not the descriptors that it names"};
  if (enclosed.fds > limits_.fds || enclosed.blob_bytes > limits_.blob_bytes)
    return Error{"message \"" + read->message.type + "\" encloses more than is taken", EMSGSIZE};
  Packet packet;
  packet.message = std::move(read->message);
  if (enclosed.blob_bytes > 0) {
    auto blob = read_memory_file(fds.back().get(), enclosed.blob_bytes);
    if (!blob) return std::move(blob).error();
    packet.blob = std::move(*blob);
    fds.pop_back();
  }
  packet.fds = std::move(fds);
  return std::optional<Packet>(std::move(packet));
}

}  // namespace weir::proxy_process
