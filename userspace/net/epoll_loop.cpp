#include "net/epoll_loop.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/stream_slot.h"

namespace weir::net {
namespace {

enum class Tag : uint8_t { kStream, kListener, kWatch };
constexpr int kTagBits = 2;
constexpr int kEventsATurn = 256;

uint64_t pack(Tag tag, uint32_t index, uint32_t generation) {
  return uint64_t{generation} << 32 | uint64_t{index} << kTagBits | static_cast<uint64_t>(tag);
}

}  // namespace

Result<std::unique_ptr<Loop>> EpollLoop::make() {
  FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return errno_error("epoll_create1");
  return std::unique_ptr<Loop>(std::make_unique<EpollLoop>(std::move(epoll)));
}

void EpollLoop::wait(Duration limit) {
  if (!ready_.empty()) limit = Duration::zero();
  // Rounded up: a timer that is due in half a millisecond must not make us spin until then.
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  std::array<epoll_event, kEventsATurn> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsATurn, static_cast<int>(timeout));
  update_now();
  for (int index = 0; index < count; ++index) dispatch(events[index]);
  read_ready();
}

void EpollLoop::dispatch(const epoll_event& event) {
  const auto tag = static_cast<Tag>(event.data.u64 & ((1U << kTagBits) - 1));
  const auto index = static_cast<uint32_t>(event.data.u64) >> kTagBits;
  const auto generation = static_cast<uint32_t>(event.data.u64 >> 32);
  if (tag == Tag::kStream) {
    StreamSlot* slot = find_stream(index, generation);
    if (slot != nullptr && slot->open) on_stream_event(*slot, event.events);
  } else if (tag == Tag::kListener) {
    Listener* listener = listener_at(index);
    if (listener != nullptr && listener->armed) on_acceptable(*listener);
  } else {
    Watch* watch = watch_at(index);
    if (watch != nullptr && watch->generation == generation) handle_readable(*watch);
  }
}

// ---------------------------------------------------------------- streams

void EpollLoop::register_stream(StreamSlot& slot) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = pack(Tag::kStream, slot.index, slot.generation);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, slot.fd.get(), &event) != 0) {
    // Out of memory or watches: nothing will ever be heard of it. Its first read tells the owner.
    slot.readable = slot.hung_up = true;
  }
}

void EpollLoop::on_stream_event(StreamSlot& slot, uint32_t events) {
  const uint32_t generation = slot.generation;
  const bool ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (slot.connecting) {
    if ((events & EPOLLOUT) == 0 && !ended) return;
    finish_connect(slot);
    if (slot.generation != generation || !slot.open) return;
  }
  if ((events & EPOLLOUT) != 0 && !slot.writable) {
    slot.writable = true;
    handle_writable(slot);
  }
  if ((events & EPOLLIN) != 0 || ended) {
    slot.readable = true;
    if (ended) slot.hung_up = true;
    if (slot.reading) mark_ready(slot);
  }
}

bool EpollLoop::start_connect(StreamSlot& slot, const SocketAddress& address, int& error_number) {
  const RawAddress raw = to_raw(address);
  // Done at once or not, EPOLLOUT says so.
  if (::connect(slot.fd.get(), raw.get(), raw.length) == 0 || errno == EINPROGRESS) return true;
  error_number = errno;
  return false;
}

void EpollLoop::finish_connect(StreamSlot& slot) {
  int error_number = 0;
  socklen_t length = sizeof error_number;
  if (::getsockopt(slot.fd.get(), SOL_SOCKET, SO_ERROR, &error_number, &length) != 0) error_number = errno;
  handle_connected(slot, error_number);
}

void EpollLoop::start_read(StreamSlot& slot) {
  if (slot.readable) mark_ready(slot);
}

void EpollLoop::mark_ready(StreamSlot& slot) {
  if (slot.in_ready) return;
  slot.in_ready = true;
  ready_.push_back(&slot);
}

void EpollLoop::read_ready() {
  ready_now_.swap(ready_);
  for (StreamSlot* slot : ready_now_) {
    slot->in_ready = false;
    if (slot->open && slot->reading && !slot->connecting && !slot->ended && slot->readable) read_once(*slot);
  }
  ready_now_.clear();
}

void EpollLoop::read_once(StreamSlot& slot) {
  ssize_t count;
  do {
    count = ::recv(slot.fd.get(), buffer_.data(), buffer_.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    slot.readable = false;
    return;
  }
  if (count <= 0) {
    slot.readable = false;
    handle_end(slot, count == 0 ? 0 : errno);
    return;
  }
  // A short read has emptied the socket and the next byte raises an edge (epoll(7)), but an end that was already
  // announced will not.
  if (static_cast<size_t>(count) < buffer_.size() && !slot.hung_up) slot.readable = false;
  const uint32_t generation = slot.generation;
  handle_data(slot, {buffer_.data(), static_cast<size_t>(count)});
  if (slot.generation == generation && slot.open && slot.reading && slot.readable) mark_ready(slot);
}

void EpollLoop::send_queued(StreamSlot& slot) {
  if (!slot.writable) return;
  msghdr message{};
  message.msg_iov = slot.pieces.data();
  message.msg_iovlen = slot.out.gather(slot.pieces);
  size_t offered = 0;
  for (size_t index = 0; index < message.msg_iovlen; ++index) offered += slot.pieces[index].iov_len;
  ssize_t count;
  do {
    count = ::sendmsg(slot.fd.get(), &message, MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
    handle_send_failed(slot, errno);
    return;
  }
  const size_t sent = count < 0 ? 0 : static_cast<size_t>(count);
  if (sent < offered) slot.writable = false;
  if (sent > 0) handle_sent(slot, sent);
}

void EpollLoop::begin_close(StreamSlot& slot) {
  // Closing the last descriptor takes it out of the epoll set.
  release(slot);
}

// ---------------------------------------------------------------- listeners and watches

void EpollLoop::start_accept(Listener& listener) {
  if (listener.armed) return;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = pack(Tag::kListener, listener.index, 0);
  listener.armed = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener.fd.get(), &event) == 0;
}

void EpollLoop::stop_accept(Listener& listener) {
  if (!listener.armed) return;
  listener.armed = false;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener.fd.get(), nullptr);
}

void EpollLoop::on_acceptable(Listener& listener) {
  for (size_t count = 0; count < kAcceptsATurn; ++count) {
    FileDescriptor fd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) handle_accept_failed(listener, errno);
      return;
    }
    handle_accepted(listener, std::move(fd));
  }
}

void EpollLoop::start_watch(Watch& watch) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = pack(Tag::kWatch, watch.index, watch.generation);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, watch.fd, &event);
}

void EpollLoop::stop_watch(Watch& watch) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watch.fd, nullptr);
}

}  // namespace weir::net
