#pragma once
// One thread for what takes long and only reads: the loop must be free for the next change.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace weir::agent {

/// The calling thread gives way to others from now on.
void lower_priority();

class Background {
 public:
  using Job = std::function<void()>;

  Background() = default;
  /// Waits for the job under way; those that wait are dropped.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Any thread. Runs `job` after those before it, on the thread that the first call starts, at a lower priority than
  /// the caller's.
  void run(Job job);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace weir::agent
