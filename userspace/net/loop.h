#pragma once
// One event loop a core: streams, listeners, timers and calls from other threads behind one interface; io_uring or
// epoll below it (make_loop). Whatever the kernel offers, the handler sees completions: bytes arrived, room to write,
// end, error.
//
// Thread: everything is called in the thread that made the loop, except post() and stop(). Handlers run in run(), never
// from inside a call that the handler itself makes (no re-entrance). Steady state (a request and an answer on streams
// that are open) allocates nothing.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "net/block_queue.h"
#include "net/socket.h"
#include "net/timer_wheel.h"

namespace weir::net {

class Loop;
struct StreamSlot;
struct Listener;
struct Watch;

/// What write() takes before it pushes back, and where on_drained tells that there is room again. Bytes.
inline constexpr size_t kOutLimit = 32768;
inline constexpr size_t kOutLowWater = 8192;

/// Streams of a loop that are read to their end after their last word (Stream::finish). Further ones are not.
inline constexpr size_t kMaxLingering = 256;

/// Names one stream of a loop; a copy costs nothing. After the stream is gone (on_error or close) every call on it does
/// nothing, even when its place is taken by another stream since.
class Stream {
 public:
  Stream() = default;

  [[nodiscard]] bool alive() const;
  explicit operator bool() const { return alive(); }

  /// Queues bytes, sent together at the end of the loop's turn. Takes at most room() bytes and returns how many; if
  /// that is fewer than given, on_drained comes later. Bytes for a dead or write-failed stream count as taken.
  size_t write(std::string_view bytes) const;
  /// Takes all, over the limit if need be: for messages whose size the caller bounds (a head), so that they are never
  /// torn.
  void write_whole(std::string_view bytes) const;
  [[nodiscard]] size_t room() const;
  /// Queued and not yet taken by the kernel.
  [[nodiscard]] size_t unsent() const;
  /// Taken by the kernel since the stream began: whoever watches for a peer that does not read compares two readings.
  [[nodiscard]] uint64_t sent() const;
  /// Asks for on_drained once the queue is at or below kOutLowWater (soon, if it already is).
  void notify_when_drained() const;

  /// No on_data and no on_eof until resume_read(). Bytes that arrive meanwhile are kept, and the peer soon feels it.
  void pause_read() const;
  void resume_read() const;
  [[nodiscard]] bool read_paused() const;

  /// FIN after what is queued. Reading goes on.
  void shutdown_write() const;
  /// At once: what is queued is dropped; no callback follows. The kernel sends FIN, or RST if there are unread bytes.
  void close() const;
  /// The same with RST in any case.
  void reset() const;
  /// Gives the stream to the loop: sends what is queued, then FIN, whatever comes meanwhile; gives up after `patience`
  /// without progress. Then discards what still comes (so that no RST destroys what was sent: RFC 9112 section 9.6)
  /// until the peer's FIN, a second without a byte, or six times `patience`; where kMaxLingering streams do so already,
  /// for a second. No callback follows.
  void finish(Duration patience = std::chrono::seconds(5)) const;

  void set_handler(class StreamHandler& handler) const;
  /// -1 when dead. Borrowed: for getsockname and the like.
  [[nodiscard]] int fd() const;

  bool operator==(const Stream&) const = default;

 private:
  friend class Loop;
  Stream(Loop* loop, uint32_t index, uint32_t generation) : loop_(loop), index_(index), generation_(generation) {}
  [[nodiscard]] StreamSlot* slot() const;

  Loop* loop_ = nullptr;
  uint32_t index_ = 0, generation_ = 0;
};

/// Each callback may close any stream, its own included, and destroy this handler.
class StreamHandler {
 public:
  /// connect() has succeeded. Bytes written before are sent now.
  virtual void on_connected() {}
  /// `bytes` are the loop's and valid only here. Returns how many were handled; if fewer than all, the loop keeps the
  /// rest, pauses reading and delivers the rest first after resume_read().
  virtual size_t on_data(std::string_view bytes) = 0;
  /// There is room again after a short write() or notify_when_drained().
  virtual void on_drained() {}
  /// The peer has sent FIN, all its bytes have been delivered. Writing still works.
  virtual void on_eof() = 0;
  /// The peer takes no more bytes (EPIPE, ECONNRESET): what was queued is gone and later writes are dropped. Reading
  /// goes on: the peer may have answered before it closed.
  virtual void on_write_failed(int error_number) = 0;
  /// Connecting or reading failed, the stream is gone. The last callback.
  virtual void on_error(int error_number) = 0;

 protected:
  ~StreamHandler() = default;
};

class AcceptHandler {
 public:
  /// The handler owns `fd`: Loop::adopt() makes it a stream.
  virtual void on_accept(FileDescriptor fd) = 0;
  /// No descriptors or memory for a connection (EMFILE, ENFILE, ENOMEM, ENOBUFS): accepting rests until some are free;
  /// if that takes longer than a second, waiting connections are reset.
  virtual void on_accept_exhausted(int /*error_number*/) {}

 protected:
  ~AcceptHandler() = default;
};

/// For descriptors that are not streams (a unix socket to the agent, a signalfd): called while readable.
class WatchHandler {
 public:
  virtual void on_readable() = 0;

 protected:
  ~WatchHandler() = default;
};

enum class LoopKind { kAuto, kUring, kEpoll };

class Loop {
 public:
  virtual ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// "io_uring" or "epoll".
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Until stop().
  void run();
  /// One turn: waits for events at most `limit`, handles them, sends what was written.
  void run_once(Duration limit);
  /// Any thread.
  void stop();
  /// Any thread: runs `task` in the loop's thread, in order of posting. Tasks still queued when the loop goes are
  /// dropped.
  void post(std::function<void()> task);

  /// Read once a turn; the same for all that happens in it.
  [[nodiscard]] TimePoint now() const { return now_; }
  /// Runs the timer's callback after `delay`, at most 1 ms late as far as the wheel goes. Re-arms an armed timer.
  void arm(Timer& timer, Duration delay) { timers_.arm(timer, now_ + delay); }

  /// Makes a stream of a connected socket (non-blocking) and reads from it.
  Stream adopt(FileDescriptor fd, StreamHandler& handler);
  /// Begins to connect; errors found at once (no descriptor, no route) are returned, later ones go to on_error.
  /// There is no timeout: whoever wants one closes the stream.
  Result<Stream> connect(const SocketAddress& address, StreamHandler& handler);
  /// The same with a socket that the caller made and bound.
  Result<Stream> connect(FileDescriptor fd, const SocketAddress& address, StreamHandler& handler);

  /// `fd`: a listening, non-blocking socket. The number names the listener.
  uint32_t add_listener(FileDescriptor fd, AcceptHandler& handler);
  /// Connections wait in the backlog meanwhile. Idempotent.
  void pause_listener(uint32_t listener);
  void resume_listener(uint32_t listener);
  /// Stops accepting and closes our descriptor. Connections that the loop has accepted and not handed out are reset.
  void remove_listener(uint32_t listener);
  /// The same, but every connection that was accepted still reaches the handler, in this turn or one soon after: for
  /// whoever leaves the socket to others and loses no connection. remove_listener() ends it at once.
  void retire_listener(uint32_t listener);
  /// Some listener is being retired.
  [[nodiscard]] bool is_retiring() const { return retiring_ > 0; }

  /// `fd` is borrowed and must stay open until remove_watch(), which must come before the handler goes.
  uint32_t add_watch(int fd, WatchHandler& handler);
  void remove_watch(uint32_t watch);

  [[nodiscard]] size_t stream_count() const { return stream_count_; }
  [[nodiscard]] size_t buffers_in_use() const { return pool_.in_use(); }

 protected:
  Loop();
  /// make_loop() calls this once the backend stands: opens the door for post().
  Result<void> open_door();
  friend Result<std::unique_ptr<Loop>> make_loop(LoopKind kind, std::string* why);

  // What a backend does. `slot` is open unless said otherwise.
  virtual void wait(Duration limit) = 0;           // submit, wait, call the handle_* below
  virtual void start_read(StreamSlot& slot) = 0;   // idempotent
  virtual void stop_read(StreamSlot& slot) = 0;    // idempotent; bytes under way may still come
  virtual void send_queued(StreamSlot& slot) = 0;  // out is not empty, nothing being sent
  virtual bool start_connect(StreamSlot& slot, const SocketAddress& address, int& error_number) = 0;
  virtual void register_stream(StreamSlot& slot) = 0;  // before anything else on it
  virtual void begin_close(StreamSlot& slot) = 0;      // calls release() when nothing is under way any more
  virtual void start_accept(Listener& listener) = 0;   // idempotent
  virtual void stop_accept(Listener& listener) = 0;    // idempotent
  virtual void start_watch(Watch& watch) = 0;
  virtual void stop_watch(Watch& watch) = 0;  // `fd` may be closed right after

  // What a backend reports.
  void handle_connected(StreamSlot& slot, int error_number);
  void handle_data(StreamSlot& slot, std::string_view bytes);
  /// EOF with 0, or why reading ended.
  void handle_end(StreamSlot& slot, int error_number);
  void handle_sent(StreamSlot& slot, size_t count);
  void handle_send_failed(StreamSlot& slot, int error_number);
  void handle_accepted(Listener& listener, FileDescriptor fd);
  void handle_accept_failed(Listener& listener, int error_number);
  /// After stop_accept(): nothing more is under way.
  void handle_accept_stopped(Listener& listener);
  void handle_readable(Watch& watch);
  /// There is room in the kernel's buffer again.
  void handle_writable(StreamSlot& slot) { mark_dirty(slot); }
  /// Nothing is under way any more: the descriptor is closed, and the slot used again after this turn.
  void release(StreamSlot& slot);

  [[nodiscard]] StreamSlot* find_stream(uint32_t index, uint32_t generation) const;
  [[nodiscard]] StreamSlot* slot_at(uint32_t index) const;
  [[nodiscard]] Listener* listener_at(uint32_t index) const;
  [[nodiscard]] Watch* watch_at(uint32_t index) const;
  [[nodiscard]] size_t slot_count() const { return slots_.size(); }
  /// Backends call this when they come back from the kernel, before the first callback.
  void update_now() { now_ = std::chrono::steady_clock::now(); }

 private:
  friend class Stream;
  struct Door;

  StreamSlot& take_slot(FileDescriptor fd, StreamHandler& handler);
  void mark_dirty(StreamSlot& slot);
  void flush_dirty();
  void flush(StreamSlot& slot);
  void notify_drained(StreamSlot& slot);
  void deliver_end(StreamSlot& slot);
  void deliver_resumed();
  void recycle_released();
  void resume_stream(StreamSlot& slot);
  void close_stream(StreamSlot& slot);
  void finish_stream(StreamSlot& slot, Duration patience);
  void begin_linger(StreamSlot& slot);
  void on_finish_timer(StreamSlot& slot);
  static void finish_timer_fired(void* slot);
  void hand_out_accepted();
  void end_listener(Listener& listener);
  void retry_accept();
  void shed_waiting(Listener& listener);
  /// Something is left to do without waiting.
  [[nodiscard]] bool has_pending_work() const;

  TimePoint now_;
  TimerWheel timers_;
  BlockPool pool_;
  std::vector<std::unique_ptr<StreamSlot>> slots_;
  std::vector<StreamSlot*> free_, released_, dirty_, dirty_now_, resumed_, resumed_now_;
  size_t stream_count_ = 0, lingering_ = 0;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Watch>> watches_;
  Timer accept_retry_;
  FileDescriptor spare_;  // given up for a moment to accept and reset when descriptors have run out
  bool accept_pending_ = false;
  size_t retiring_ = 0;         // listeners
  std::unique_ptr<Door> door_;  // for other threads
};

/// Empties `why` or says why the kind that was made is not the better one: "io_uring: Operation not permitted (...)".
/// kAuto: io_uring where the kernel has all that it needs (6.0: multishot receive), else epoll.
Result<std::unique_ptr<Loop>> make_loop(LoopKind kind, std::string* why = nullptr);

}  // namespace weir::net
