#include "agent/node/background.h"

#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace weir::agent {

void lower_priority() {
  constexpr int kNice = 10;
  // Refused (a limit): then at the same priority.
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice));
}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Background::run(Job job) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(job));
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  wake_.notify_all();
}

void Background::work() {
  lower_priority();
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const auto jobs = std::exchange(waiting_, {});
    for (const Job& job : jobs) {
      lock.unlock();
      job();
      lock.lock();
      if (stopping_) return;
    }
  }
}

}  // namespace weir::agent
