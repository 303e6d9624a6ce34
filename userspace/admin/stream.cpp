#include "admin/stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::admin {

bool UnixStream::wait_for(short events) const {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    if (left <= 0) return false;
    pollfd entry{fd_, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool UnixStream::is_readable() const {
  return begin_ < end_ || wait_for(POLLIN);
}

bool UnixStream::is_writable() const {
  return wait_for(POLLOUT);
}

ssize_t UnixStream::read(char* data, size_t size) {
  if (begin_ == end_) {
    ssize_t count = -1;
    do {
      if (!wait_for(POLLIN)) return -1;
      count = ::recv(fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    } while (count < 0 && (errno == EINTR || errno == EAGAIN));
    if (count <= 0) return count;
    begin_ = 0;
    end_ = static_cast<size_t>(count);
  }
  const size_t count = std::min(size, end_ - begin_);
  std::memcpy(data, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t UnixStream::write(const char* data, size_t size) {
  if (!writing_) {
    writing_ = true;
    deadline_ = Clock::now() + limit_;
  }
  ssize_t count = -1;
  do {
    if (!wait_for(POLLOUT)) return -1;
    count = ::send(fd_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (count < 0 && (errno == EINTR || errno == EAGAIN));
  return count;
}

void UnixStream::finish() {
  constexpr size_t kMostBytes = 256 * 1024;
  ::shutdown(fd_, SHUT_WR);
  deadline_ = std::min(deadline_, Clock::now() + std::chrono::seconds(1));
  std::array<char, 4096> waste;
  for (size_t taken = 0; taken < kMostBytes;) {
    const ssize_t count = read(waste.data(), waste.size());
    if (count <= 0) return;
    taken += static_cast<size_t>(count);
  }
}

void UnixStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = "unix";
  port = 0;
}

void UnixStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip = "unix";
  port = 0;
}

}  // namespace weir::admin
