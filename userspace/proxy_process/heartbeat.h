#pragma once
// The sign of life that the kernel's programs look at, and the watchdog over the workers. A thread of its own: neither
// a large configuration nor a stuck worker holds it up.

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "proxy_process/worker_thread.h"

namespace weir::proxy_process {

/// One page shared with the kernel: nanoseconds of CLOCK_MONOTONIC in its first 8 bytes.
class BeatPage {
 public:
  /// Maps `fd`; it may be closed afterwards.
  static Result<BeatPage> map(int fd);
  ~BeatPage();
  BeatPage(BeatPage&& other) noexcept;
  BeatPage& operator=(BeatPage&&) = delete;

  void write(std::chrono::steady_clock::time_point now);
  [[nodiscard]] std::chrono::steady_clock::time_point read() const;

 private:
  explicit BeatPage(void* memory) : memory_(memory) {}
  void* memory_;
};

/// How long a worker has been silent, in time that this process was awake for: one that was stopped (SIGSTOP, a
/// suspended machine) and goes on is not stuck. Pure.
class Silence {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Verdict { kWell, kLate, kStuck };
  /// Call it every kBeatPeriod. `turned`: when the worker gave its last sign of life.
  Verdict look(Clock::time_point now, Clock::time_point turned);

 private:
  Clock::time_point last_look_{}, last_turned_{};
  std::chrono::nanoseconds silent_{0};
};
inline constexpr std::chrono::milliseconds kBeatPeriod{250};
/// A loop that has not turned for so long: no beat.
inline constexpr std::chrono::seconds kLate{1};
/// And for so long: the process ends itself, and the agent starts another.
inline constexpr std::chrono::seconds kStuck{5};

class Heartbeat {
 public:
  /// `workers` outlive it. `stuck` is called once, on the heartbeat's thread, with the worker that hangs.
  Heartbeat(BeatPage page, std::vector<WorkerThread*> workers, std::function<void(WorkerThread&)> stuck);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// No more beats (another proxy takes over); the watch goes on.
  void quiet() { quiet_.store(true, std::memory_order_relaxed); }
  /// Beats begin, the first before this returns: without a configuration the kernel must not send anybody, and with one
  /// it must not wait.
  void begin();

 private:
  void run();
  void beat();

  BeatPage page_;
  std::vector<WorkerThread*> workers_;
  std::vector<Silence> silences_;
  std::function<void(WorkerThread&)> stuck_;
  std::atomic<bool> quiet_{true};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Has `worker` write its stack to stderr, then ends the process.
[[noreturn]] void abort_with_stack(WorkerThread& worker);
/// Before enter_sandbox(): what abort_with_stack() needs loaded.
void prepare_stack_dump();

}  // namespace weir::proxy_process
