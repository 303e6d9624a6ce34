#pragma once
// The agent's main loop: descriptors, timers, and one door for other threads.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::agent {

/// All methods are the loop's thread's own, except post() and call().
class EventLoop {
 public:
  using Callback = std::function<void()>;

  static Result<std::unique_ptr<EventLoop>> create();

  /// Calls `readable` whenever `fd` is readable (level-triggered). Borrows fd: remove() it before it is closed.
  Result<void> add(int fd, Callback readable);
  void remove(int fd);

  /// Runs until stop(). Ends all call()s that wait, with an error.
  void run();
  void stop() { stopping_ = true; }

  /// Any thread. Runs `work` on the loop soon; dropped when the loop has ended.
  void post(Callback work);

  /// Any other thread. Runs `work` on the loop and waits for its end; an error when the loop ended or did not come to
  /// it in time (then `work` may still run later: it must own what it touches).
  Result<void> call(Callback work, std::chrono::milliseconds timeout);

 private:
  EventLoop(FileDescriptor epoll, FileDescriptor wake) : epoll_(std::move(epoll)), wake_(std::move(wake)) {}
  void run_posted();
  void close_door();

  struct Waiter {
    std::mutex mutex;
    std::condition_variable done;
    enum class State { kWaiting, kDone, kAbandoned } state = State::kWaiting;
    void finish(State how);
  };

  FileDescriptor epoll_, wake_;
  std::unordered_map<int, Callback> callbacks_;
  bool stopping_ = false;

  std::mutex mutex_;  // guards what follows
  std::vector<Callback> posted_;
  std::vector<std::weak_ptr<Waiter>> waiters_;
  bool closed_ = false;
};

/// A timer of a loop; gone with the object. The loop's thread only.
class Timer {
 public:
  static Result<std::unique_ptr<Timer>> create(EventLoop& loop, EventLoop::Callback fired);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Fires once after `delay` (at the next turn when it is not positive), or every `delay`. Replaces what was set
  /// before.
  void once(std::chrono::nanoseconds delay);
  void every(std::chrono::nanoseconds period);
  void cancel();

 private:
  Timer(EventLoop& loop, FileDescriptor fd) : loop_(loop), fd_(std::move(fd)) {}
  void set(std::chrono::nanoseconds first, std::chrono::nanoseconds period);

  EventLoop& loop_;
  FileDescriptor fd_;
};

}  // namespace weir::agent
