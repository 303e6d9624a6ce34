#pragma once
// An accepted unix socket in the form that cpp-httplib (which knows only TCP) reads requests from.

#include <httplib.h>

#include <array>
#include <chrono>

namespace weir::admin {

/// Borrows `fd`. The request must have been read within `limit` of the start, and the answer be taken within `limit` of
/// its first byte: a client that sends a byte a second cannot hold a worker. One thread.
class UnixStream : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;
  UnixStream(int fd, Clock::duration limit) : fd_(fd), limit_(limit), deadline_(Clock::now() + limit) {}

  [[nodiscard]] bool is_readable() const override;
  [[nodiscard]] bool is_writable() const override;
  /// As read(2), waiting until the deadline; -1 at the deadline.
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  [[nodiscard]] socket_t socket() const override { return fd_; }

  /// After the answer: says that no more comes, and takes what the client still sends for a moment, so that it reads
  /// the answer instead of failing at its own write.
  void finish();

 private:
  bool wait_for(short events) const;

  int fd_;
  Clock::duration limit_;
  Clock::time_point deadline_;
  bool writing_ = false;
  // httplib reads the head byte by byte.
  std::array<char, 4096> buffer_{};
  size_t begin_ = 0, end_ = 0;
};

}  // namespace weir::admin
