#include "agent/node/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace weir::agent {

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return errno_error("epoll_create1");
  FileDescriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return errno_error("eventfd");
  std::unique_ptr<EventLoop> loop(new EventLoop(std::move(epoll), std::move(wake)));
  WEIR_TRY(loop->add(loop->wake_.get(), [raw = loop.get()] { raw->run_posted(); }));
  return loop;
}

Result<void> EventLoop::add(int fd, Callback readable) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return errno_error("epoll_ctl");
  callbacks_[fd] = std::move(readable);
  return {};
}

void EventLoop::remove(int fd) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  callbacks_.erase(fd);
}

void EventLoop::run() {
  std::array<epoll_event, 16> events;
  while (!stopping_) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    if (count < 0 && errno != EINTR) break;
    for (int i = 0; i < count && !stopping_; ++i) {
      // A callback may have removed a later one of this batch.
      const auto found = callbacks_.find(events[static_cast<size_t>(i)].data.fd);
      if (found == callbacks_.end()) continue;
      const Callback callback = found->second;
      callback();
    }
  }
  close_door();
}

void EventLoop::run_posted() {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.get(), &ignored);
  std::vector<Callback> work;
  {
    const std::lock_guard lock(mutex_);
    work.swap(posted_);
  }
  for (const auto& callback : work) callback();
}

void EventLoop::close_door() {
  std::vector<std::weak_ptr<Waiter>> waiters;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    posted_.clear();
    waiters.swap(waiters_);
  }
  for (const auto& weak : waiters)
    if (const auto waiter = weak.lock()) waiter->finish(Waiter::State::kAbandoned);
}

void EventLoop::Waiter::finish(State how) {
  const std::lock_guard lock(mutex);
  if (state == State::kWaiting) state = how;
  done.notify_all();
}

void EventLoop::post(Callback work) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  posted_.push_back(std::move(work));
  ::eventfd_write(wake_.get(), 1);
}

Result<void> EventLoop::call(Callback work, std::chrono::milliseconds timeout) {
  const auto waiter = std::make_shared<Waiter>();
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return Error{"the agent is stopping"};
    std::erase_if(waiters_, [](const auto& weak) { return weak.expired(); });
    waiters_.push_back(waiter);
    posted_.emplace_back([work = std::move(work), waiter] {
      work();
      waiter->finish(Waiter::State::kDone);
    });
    ::eventfd_write(wake_.get(), 1);
  }
  std::unique_lock lock(waiter->mutex);
  waiter->done.wait_for(lock, timeout, [&] { return waiter->state != Waiter::State::kWaiting; });
  if (waiter->state == Waiter::State::kDone) return {};
  if (waiter->state == Waiter::State::kAbandoned) return Error{"the agent is stopping"};
  return Error{"the agent is busy", ETIMEDOUT};
}

Result<std::unique_ptr<Timer>> Timer::create(EventLoop& loop, EventLoop::Callback fired) {
  FileDescriptor fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!fd) return errno_error("timerfd_create");
  std::unique_ptr<Timer> timer(new Timer(loop, std::move(fd)));
  const int raw = timer->fd_.get();
  WEIR_TRY(loop.add(raw, [raw, fired = std::move(fired)] {
    uint64_t times = 0;
    // Nothing to read: cancelled or set anew since epoll saw it.
    if (::read(raw, &times, sizeof(times)) == sizeof(times)) fired();
  }));
  return timer;
}

Timer::~Timer() {
  loop_.remove(fd_.get());
}

void Timer::once(std::chrono::nanoseconds delay) {
  set(std::max(delay, std::chrono::nanoseconds(1)), std::chrono::nanoseconds(0));
}

void Timer::every(std::chrono::nanoseconds period) {
  set(period, period);
}

void Timer::cancel() {
  set(std::chrono::nanoseconds(0), std::chrono::nanoseconds(0));
}

void Timer::set(std::chrono::nanoseconds first, std::chrono::nanoseconds period) {
  const auto to_timespec = [](std::chrono::nanoseconds time) {
    return timespec{static_cast<time_t>(time.count() / 1'000'000'000), static_cast<long>(time.count() % 1'000'000'000)};
  };
  const itimerspec spec{to_timespec(period), to_timespec(first)};
  ::timerfd_settime(fd_.get(), 0, &spec, nullptr);
}

}  // namespace weir::agent
