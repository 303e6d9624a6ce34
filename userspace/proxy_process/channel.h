#pragma once
// A control connection between agent and proxy: messages with descriptors and bulk over a unix SEQPACKET socket.
// Neither end believes the other: every length, count and descriptor is checked, and what does not fit is an error,
// after which the connection is of no more use. One thread.

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "proxy_process/message.h"

namespace weir::proxy_process {

/// A message with what came beside it.
struct Packet {
  Message message;
  std::vector<FileDescriptor> fds;
  std::string blob;
};

/// What one end is willing to take.
struct ChannelLimits {
  size_t fds = kMaxMessageFds;
  uint64_t blob_bytes = 0;
};
/// What the proxy takes: the whole configuration of a large node.
inline constexpr uint64_t kMaxConfigurationBytes = 512U << 20;
/// What the agent takes: counters.
inline constexpr uint64_t kMaxStatsBytes = 64U << 20;

class Channel {
 public:
  using Clock = std::chrono::steady_clock;
  /// `socket`: connected, SEQPACKET.
  Channel(FileDescriptor socket, ChannelLimits limits);

  [[nodiscard]] int fd() const { return socket_.get(); }

  /// Waits until `deadline` for room (ETIMEDOUT). An empty blob is none. EPIPE: nobody is there.
  Result<void> send(const Message& message, Clock::time_point deadline, std::span<const int> fds = {},
                    std::string_view blob = {});
  /// Nothing: nothing came until `deadline`. Error EPIPE: the other end has gone. Any other error: it sent what it must
  /// not.
  Result<std::optional<Packet>> receive(Clock::time_point deadline);

 private:
  Result<std::string> receive_datagram(std::vector<FileDescriptor>& fds);

  FileDescriptor socket_;
  ChannelLimits limits_;
};

}  // namespace weir::proxy_process
