#include "net/loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "net/stream_slot.h"

namespace weir::net {
namespace {

constexpr Duration kAcceptRetry = std::chrono::milliseconds(50);
constexpr Duration kShedAfter = std::chrono::seconds(1);

}  // namespace

/// The way in from other threads: a locked list and an eventfd that the loop watches.
struct Loop::Door final : WatchHandler {
  explicit Door(FileDescriptor event_fd) : event(std::move(event_fd)) {}

  void on_readable() override {
    uint64_t count;
    while (::read(event.get(), &count, sizeof count) < 0 && errno == EINTR) {}
    {
      const std::lock_guard guard(mutex);
      running.swap(posted);
    }
    for (auto& task : running) task();
    running.clear();
  }
  void ring() const {
    const uint64_t one = 1;
    while (::write(event.get(), &one, sizeof one) < 0 && errno == EINTR) {}
  }

  FileDescriptor event;
  std::mutex mutex;
  std::vector<std::function<void()>> posted;   // guarded by mutex
  std::vector<std::function<void()>> running;  // the loop's thread only
  std::atomic<bool> stopping{false};
};

Loop::Loop()
    : now_(std::chrono::steady_clock::now()),
      timers_(now_),
      accept_retry_(&Timer::call<&Loop::retry_accept, Loop>, this),
      spare_(::eventfd(0, EFD_CLOEXEC)) {}

Loop::~Loop() = default;

Result<void> Loop::open_door() {
  FileDescriptor event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event) return errno_error("eventfd");
  door_ = std::make_unique<Door>(std::move(event));
  add_watch(door_->event.get(), *door_);
  return {};
}

void Loop::run() {
  door_->stopping.store(false, std::memory_order_relaxed);
  while (!door_->stopping.load(std::memory_order_relaxed)) run_once(std::chrono::hours(1));
}

void Loop::run_once(Duration limit) {
  if (const auto next = timers_.next_deadline()) limit = std::min(limit, *next - now_);
  if (has_pending_work()) limit = Duration::zero();
  wait(std::max(limit, Duration::zero()));
  timers_.advance(now_);
  hand_out_accepted();
  deliver_resumed();
  flush_dirty();
  recycle_released();
}

bool Loop::has_pending_work() const {
  return accept_pending_ || !dirty_.empty() || !resumed_.empty();
}

void Loop::stop() {
  door_->stopping.store(true, std::memory_order_relaxed);
  door_->ring();
}

void Loop::post(std::function<void()> task) {
  {
    const std::lock_guard guard(door_->mutex);
    door_->posted.push_back(std::move(task));
  }
  door_->ring();
}

// ---------------------------------------------------------------- listeners

uint32_t Loop::add_listener(FileDescriptor fd, AcceptHandler& handler) {
  auto listener = std::make_unique<Listener>();
  listener->index = static_cast<uint32_t>(listeners_.size());
  listener->fd = std::move(fd);
  listener->handler = &handler;
  listeners_.push_back(std::move(listener));
  start_accept(*listeners_.back());
  return listeners_.back()->index;
}

Listener* Loop::listener_at(uint32_t index) const {
  return index < listeners_.size() ? listeners_[index].get() : nullptr;
}

void Loop::pause_listener(uint32_t index) {
  Listener* listener = listener_at(index);
  if (listener == nullptr || listener->handler == nullptr || listener->paused) return;
  listener->paused = true;
  stop_accept(*listener);
}

void Loop::resume_listener(uint32_t index) {
  Listener* listener = listener_at(index);
  if (listener == nullptr || listener->handler == nullptr || !listener->paused) return;
  listener->paused = false;
  if (!listener->accepted.empty()) accept_pending_ = true;
  start_accept(*listener);
}

void Loop::remove_listener(uint32_t index) {
  Listener* listener = listener_at(index);
  if (listener == nullptr || listener->handler == nullptr) return;
  stop_accept(*listener);
  end_listener(*listener);
}

void Loop::retire_listener(uint32_t index) {
  Listener* listener = listener_at(index);
  if (listener == nullptr || listener->handler == nullptr || listener->retiring) return;
  listener->retiring = true;
  listener->paused = false;
  ++retiring_;
  stop_accept(*listener);
  accept_pending_ = true;
}

/// The place stays empty for ever: a late completion finds nobody. Listeners are few.
void Loop::end_listener(Listener& listener) {
  if (listener.retiring) --retiring_;
  listener.retiring = false;
  listener.handler = nullptr;
  listener.accepted.clear();
  listener.fd.reset();
}

void Loop::handle_accept_stopped(Listener& listener) {
  if (listener.retiring) accept_pending_ = true;
}

void Loop::handle_accepted(Listener& listener, FileDescriptor fd) {
  if (listener.handler == nullptr) return;
  listener.exhausted = false;
  listener.accepted.push_back(std::move(fd));
  accept_pending_ = true;
}

void Loop::hand_out_accepted() {
  if (!accept_pending_) return;
  accept_pending_ = false;
  for (size_t index = 0; index < listeners_.size(); ++index) {  // a handler may add listeners
    Listener& listener = *listeners_[index];
    for (size_t count = 0; count < kAcceptsATurn; ++count) {
      if (listener.paused || listener.handler == nullptr || listener.accepted.empty()) break;
      FileDescriptor fd = std::move(listener.accepted.front());
      listener.accepted.pop_front();
      listener.handler->on_accept(std::move(fd));
    }
    if (!listener.accepted.empty() && !listener.paused) accept_pending_ = true;
    if (listener.retiring && listener.accepted.empty() && !listener.armed) end_listener(listener);
  }
}

void Loop::handle_accept_failed(Listener& listener, int error_number) {
  if (listener.handler == nullptr) return;
  const bool exhausted =
      error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM || error_number == ENOBUFS;
  if (!exhausted) {
    // ECONNABORTED, EPROTO and what else a single connection can have (accept(2)): the next one may be fine.
    if (!listener.paused && !listener.retiring) start_accept(listener);
    return;
  }
  stop_accept(listener);
  if (!listener.exhausted) {
    listener.exhausted = true;
    listener.exhausted_since = now_;
  } else if (now_ - listener.exhausted_since >= kShedAfter) {
    shed_waiting(listener);
  }
  if (!accept_retry_.armed()) arm(accept_retry_, kAcceptRetry);
  listener.handler->on_accept_exhausted(error_number);
}

void Loop::retry_accept() {
  for (const auto& listener : listeners_) {
    if (listener->handler != nullptr && listener->exhausted && !listener->paused && !listener->retiring)
      start_accept(*listener);
  }
}

void Loop::shed_waiting(Listener& listener) {
  // A client that waits for longer in the backlog learns nothing: tell it to go elsewhere.
  spare_.reset();
  for (size_t count = 0; count < kAcceptsATurn; ++count) {
    const FileDescriptor fd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) break;
    set_reset_on_close(fd.get());
  }
  spare_.reset(::eventfd(0, EFD_CLOEXEC));  // opens no file: whoever runs this loop may be forbidden to
}

// ---------------------------------------------------------------- watches

uint32_t Loop::add_watch(int fd, WatchHandler& handler) {
  auto free =
      std::find_if(watches_.begin(), watches_.end(), [](const auto& watch) { return watch->handler == nullptr; });
  if (free == watches_.end()) {
    watches_.push_back(std::make_unique<Watch>());
    free = std::prev(watches_.end());
    (*free)->index = static_cast<uint32_t>(watches_.size() - 1);
  }
  Watch& watch = **free;
  watch.fd = fd;
  watch.handler = &handler;
  ++watch.generation;
  start_watch(watch);
  return watch.index;
}

Watch* Loop::watch_at(uint32_t index) const {
  return index < watches_.size() ? watches_[index].get() : nullptr;
}

void Loop::remove_watch(uint32_t index) {
  Watch* watch = watch_at(index);
  if (watch == nullptr || watch->handler == nullptr) return;
  stop_watch(*watch);
  watch->handler = nullptr;
}

void Loop::handle_readable(Watch& watch) {
  if (watch.handler != nullptr) watch.handler->on_readable();
}

}  // namespace weir::net
