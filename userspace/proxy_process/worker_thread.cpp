#include "proxy_process/worker_thread.h"

#include <sys/prctl.h>

#include <functional>
#include <future>

#include "proxy/worker.h"

namespace weir::proxy_process {

Result<std::unique_ptr<WorkerThread>> WorkerThread::start(Setup setup) {
  std::unique_ptr<WorkerThread> made(new WorkerThread);
  std::promise<Result<void>> promise;
  auto started = promise.get_future();
  made->thread_ = std::thread([raw = made.get(), &promise, setup = std::move(setup)]() mutable {
    raw->run(std::move(setup), [&promise](Result<void> result) { promise.set_value(std::move(result)); });
  });
  if (auto result = started.get(); !result) return std::move(result).error();
  return made;
}

WorkerThread::~WorkerThread() {
  if (loop_) loop_->stop();
  if (thread_.joinable()) thread_.join();
}

void WorkerThread::run(Setup setup, const std::function<void(Result<void>)>& started) {
  const std::string name = "weir-worker-" + std::to_string(setup.number);
  ::prctl(PR_SET_NAME, name.substr(0, 15).c_str());
  auto loop = net::make_loop(setup.loop, &why_);
  if (!loop) return started(std::move(loop).error());
  loop_ = std::move(*loop);
  loop_name_ = loop_->name();
  worker_ = std::make_unique<proxy::Worker>(*loop_, std::move(setup.options), std::move(setup.snapshot),
                                            proxy::Worker::Setup{.number = setup.number, .log_fd = setup.log_fd});
  for (auto& listener : setup.listeners) worker_->add_listener(std::move(listener));
  turned();
  started({});
  loop_->run();
  worker_.reset();  // in its own thread, before the loop
}

void WorkerThread::turned() {
  last_turn_ns_.store(std::chrono::steady_clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  drained_.store(worker_->drained(), std::memory_order_relaxed);
}

void WorkerThread::set_snapshot(std::shared_ptr<const proxy::Snapshot> snapshot) {
  loop_->post([this, snapshot = std::move(snapshot)] { worker_->set_snapshot(snapshot); });
}

void WorkerThread::drain(net::Duration patience) {
  loop_->post([this, patience] { worker_->drain(patience); });
}

void WorkerThread::run_in_loop(std::function<void()> work) {
  loop_->post(std::move(work));
}

void WorkerThread::probe() {
  // A loop that is stuck must not find a heap of questions when it comes back.
  if (probe_under_way_.exchange(true, std::memory_order_relaxed)) return;
  loop_->post([this] {
    turned();
    probe_under_way_.store(false, std::memory_order_relaxed);
  });
}

std::chrono::steady_clock::time_point WorkerThread::last_turn() const {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(last_turn_ns_.load(std::memory_order_relaxed)));
}

const proxy::LoopStats& WorkerThread::stats() const {
  return worker_->loop_stats();
}

}  // namespace weir::proxy_process
