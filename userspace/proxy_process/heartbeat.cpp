#include "proxy_process/heartbeat.h"

#include <execinfo.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <utility>

#include "proxy_process/log.h"

namespace weir::proxy_process {
namespace {

using Clock = std::chrono::steady_clock;

/// Both sides look at it without a lock: one aligned word.
std::atomic_ref<uint64_t> word(void* memory) {
  return std::atomic_ref<uint64_t>(*static_cast<uint64_t*>(memory));
}

/// Runs in the stuck thread, wherever it is: only what is safe there.
void dump_stack(int /*signal*/) {
  std::array<void*, 64> frames{};
  const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  ::backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
}

}  // namespace

Result<BeatPage> BeatPage::map(int fd) {
  void* memory = ::mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return errno_error("map the beat");
  return BeatPage(memory);
}

BeatPage::~BeatPage() {
  if (memory_ != nullptr) ::munmap(memory_, sizeof(uint64_t));
}

BeatPage::BeatPage(BeatPage&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}

void BeatPage::write(Clock::time_point now) {
  word(memory_).store(static_cast<uint64_t>(now.time_since_epoch().count()), std::memory_order_release);
}

Clock::time_point BeatPage::read() const {
  return Clock::time_point(std::chrono::nanoseconds(word(memory_).load(std::memory_order_acquire)));
}

Silence::Verdict Silence::look(Clock::time_point now, Clock::time_point turned) {
  const bool first = last_look_ == Clock::time_point{};
  if (first || turned != last_turned_)
    silent_ = {};
  else
    silent_ += std::min<std::chrono::nanoseconds>(now - last_look_, 2 * kBeatPeriod);
  last_look_ = now;
  last_turned_ = turned;
  if (silent_ >= kStuck) return Verdict::kStuck;
  return silent_ >= kLate ? Verdict::kLate : Verdict::kWell;
}

Heartbeat::Heartbeat(BeatPage page, std::vector<WorkerThread*> workers, std::function<void(WorkerThread&)> stuck)
    : page_(std::move(page)),
      workers_(std::move(workers)),
      silences_(workers_.size()),
      stuck_(std::move(stuck)),
      thread_([this] { run(); }) {}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Heartbeat::begin() {
  page_.write(Clock::now());
  quiet_.store(false, std::memory_order_relaxed);
}

void Heartbeat::run() {
  ::prctl(PR_SET_NAME, "weir-beat");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    beat();
    lock.lock();
    wake_.wait_for(lock, kBeatPeriod, [this] { return stopping_; });
  }
}

void Heartbeat::beat() {
  const auto now = Clock::now();
  bool well = true;
  for (size_t i = 0; i < workers_.size(); ++i) {
    const auto verdict = silences_[i].look(now, workers_[i]->last_turn());
    if (verdict == Silence::Verdict::kStuck) return stuck_(*workers_[i]);
    well = well && verdict == Silence::Verdict::kWell;
    workers_[i]->probe();
  }
  if (well && !quiet_.load(std::memory_order_relaxed)) page_.write(now);
}

void prepare_stack_dump() {
  std::array<void*, 4> frames{};
  ::backtrace(frames.data(), static_cast<int>(frames.size()));  // loads the unwinder
  struct sigaction action {};
  action.sa_handler = &dump_stack;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR2, &action, nullptr);
}

void abort_with_stack(WorkerThread& worker) {
  log_line(LogLevel::kError, "worker is stuck since " + std::to_string(kStuck.count()) + " s; its stack follows");
  ::pthread_kill(worker.handle(), SIGUSR2);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  log_line(LogLevel::kError, "ending because of a stuck worker");
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

}  // namespace weir::proxy_process
