#pragma once
// What a loop keeps of a stream, a listener and a watch. Private to the loop and its backends.

#include <sys/socket.h>

#include <array>
#include <deque>

#include "net/loop.h"

namespace weir::net {

struct StreamSlot {
  explicit StreamSlot(BlockPool& pool, Timer::Callback finish_timer_fired)
      : out(pool), kept(pool), finish_timer(finish_timer_fired, this) {}

  Loop* loop = nullptr;
  uint32_t index = 0;
  uint32_t generation = 1;
  FileDescriptor fd;
  StreamHandler* handler = nullptr;
  BlockQueue out;   // to be sent
  BlockQueue kept;  // received, not yet handled
  uint64_t sent = 0;

  bool open = false;  // false: closed for the user; the backend may still be busy with it
  bool connecting = false;
  bool reading = false;  // the user wants bytes
  bool ended = false;    // no more bytes come; reported once `kept` is empty
  bool end_reported = false;
  int end_error = 0;
  bool want_fin = false, fin_sent = false;
  bool write_failed = false;
  bool want_drained = false;
  bool in_dirty = false, in_resumed = false;
  bool sending = false;  // the backend is at work on `out`

  // finish(): nobody listens any more.
  bool finishing = false;
  bool lingering = false;  // the FIN is out
  uint64_t discarded = 0;  // bytes
  uint64_t finish_mark = 0;
  TimePoint linger_end{};
  Duration patience{};
  Timer finish_timer;

  // The backends' own.
  uint8_t under_way = 0;       // io_uring: operations whose completion is still to come
  bool receive_armed = false;  // io_uring
  bool receive_stopping = false;
  bool bulk = false;                       // io_uring: one receive at a time, because the handler has pushed back
  bool send_waits = false;                 // io_uring: the next send waits for room, because the last one found none
  bool writable = false;                   // epoll: false until EPOLLOUT. io_uring: true once connected
  bool readable = false, hung_up = false;  // epoll: bytes, or the end, may be had without waiting
  bool in_ready = false;                   // epoll
  msghdr message{};                        // io_uring: must not move until it is submitted
  std::array<iovec, 4> pieces{};
};

struct Listener {
  uint32_t index = 0;
  FileDescriptor fd;
  AcceptHandler* handler = nullptr;
  bool paused = false;     // by the user
  bool retiring = false;   // no more are accepted; those that were go out
  bool exhausted = false;  // by EMFILE and the like
  TimePoint exhausted_since{};
  std::deque<FileDescriptor> accepted;  // not yet handed out: at most kAcceptsATurn go out a turn
  bool armed = false;                   // the backend accepts
};

struct Watch {
  uint32_t index = 0;
  int fd = -1;
  WatchHandler* handler = nullptr;
  uint32_t generation = 0;
};

inline constexpr size_t kAcceptsATurn = 64;

}  // namespace weir::net
