#include "proxy_process/control.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy_process/build.h"
#include "proxy_process/fields.h"
#include "proxy_process/log.h"
#include "proxy_process/stats_report.h"

namespace weir::proxy_process {
namespace {

/// What came is a TCP socket that listens; whoever sent it may be of another build.
Result<void> check_listener(int fd) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) return errno_error("listener");
  if (listens == 0) return Error{"an enclosed descriptor is not a listening socket", EINVAL};
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return errno_error("listener");
  return {};
}

Result<FileDescriptor> duplicate(int fd) {
  FileDescriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return errno_error("duplicate a descriptor");
  return copy;
}

Answer failed(const Message& request, const Error& error) {
  log_line(LogLevel::kWarning, request.type + ": " + error.message);
  return {{"failed", request.id, {{"message", error.message}, {"code", error.code}}}, {}, {}};
}

}  // namespace

Control::Control(std::function<Result<void>()> rings_made) : rings_made_(std::move(rings_made)) {}

Control::~Control() {
  heartbeat_.reset();  // looks at the workers
}

Json Control::hello() const {
  Hello hello;
  hello.version = WEIR_VERSION;
  hello.build = build_id();
  hello.generation = keeper_ && !workers_.empty() ? keeper_->generation() : 0;
  hello.uptime_ms =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_).count());
  hello.workers = static_cast<uint32_t>(workers_.size());
  hello.loop = workers_.empty() ? "" : workers_.front()->loop_name();
  hello.draining = draining();
  hello.settings = settings_ ? digest(*settings_) : "";
  return to_json(hello);
}

Answer Control::handle(Packet packet) {
  const Message request = packet.message;
  const auto answer = [&request](const char* type, Json body = Json::object()) {
    return Answer{{type, request.id, std::move(body)}, {}, {}};
  };
  const auto done = [&](const Result<void>& result, const char* type, Json body = Json::object()) {
    return result ? answer(type, std::move(body)) : failed(request, result.error());
  };
  if (request.type == "hello") return answer("hello", hello());
  if (request.type == "start") return done(start(packet), "started");
  if (request.type == "access_log") return done(take_log(packet), "done");
  if (request.type == "configure") {
    const auto result = configure(packet);
    return done(result, "ready", {{"generation", keeper_ ? keeper_->generation() : 0}});
  }
  if (request.type == "listeners") {
    auto given = answer("listeners");
    for (const auto& listener : listeners_) given.fds.push_back(listener.get());
    return given;
  }
  if (request.type == "stats") {
    auto given = answer("stats");
    given.blob = stats();
    return given;
  }
  if (request.type == "drain") {
    constexpr uint64_t kMostMs = 24ULL * 3'600'000;
    Fields fields(request.body);
    const uint64_t ms = fields.number("ms", kMostMs);
    if (const auto good = fields.finish(); !good) return failed(request, good.error());
    drain(std::chrono::milliseconds(ms));
    return answer("draining");
  }
  if (request.type == "stop") {
    stopped_ = true;
    return answer("stopping");
  }
  return failed(request, Error{"\"" + request.type + "\" is unknown to this build", ENOSYS});
}

Result<void> Control::start(Packet& packet) {
  if (settings_) return Error{"started already", EALREADY};
  auto settings = settings_from_json(packet.message.body);
  if (!settings) return std::move(settings).error();
  const size_t before = settings->has_log ? 2 : 1;
  if (packet.fds.size() < before + settings->workers) return Error{"too few descriptors to start with", EINVAL};
  auto page = BeatPage::map(packet.fds[0].get());
  if (!page) return std::move(page).error();
  for (size_t i = before; i < packet.fds.size(); ++i) WEIR_TRY(check_listener(packet.fds[i].get()));
  page_.emplace(std::move(*page));
  if (settings->has_log) log_ = std::move(packet.fds[1]);
  for (size_t i = before; i < packet.fds.size(); ++i) listeners_.push_back(std::move(packet.fds[i]));
  shared_ = std::make_shared<proxy::SharedState>(settings->node, settings->workers);
  keeper_.emplace(shared_);
  settings_ = std::move(*settings);
  return {};
}

/// Nobody is accepted before there is a configuration: the listening sockets may be another proxy's too, which has one.
Result<void> Control::start_workers(const std::shared_ptr<const proxy::Snapshot>& snapshot) {
  std::vector<std::unique_ptr<WorkerThread>> workers;
  for (size_t i = 0; i < settings_->workers; ++i) {
    WorkerThread::Setup setup{i, settings_->loop, settings_->proxy, log_.get(), snapshot, {}};
    // More sockets than workers: those of a proxy with more of them, on which somebody may still come in.
    for (size_t at = i; at < listeners_.size(); at += settings_->workers) {
      auto copy = duplicate(listeners_[at].get());
      if (!copy) return std::move(copy).error();
      setup.listeners.push_back(std::move(*copy));
    }
    auto worker = WorkerThread::start(std::move(setup));
    if (!worker) return std::move(worker).error().context("worker " + std::to_string(i));
    workers.push_back(std::move(*worker));
  }
  WEIR_TRY(rings_made_());
  workers_ = std::move(workers);
  std::vector<WorkerThread*> watched;
  for (const auto& worker : workers_) watched.push_back(worker.get());
  heartbeat_ = std::make_unique<Heartbeat>(std::move(*page_), std::move(watched), &abort_with_stack);
  heartbeat_->begin();
  const auto& first = *workers_.front();
  log_line(LogLevel::kInfo, fmt::format("{} workers on {}{}", workers_.size(), first.loop_name(),
                                        first.why().empty() ? "" : " (" + first.why() + ")"));
  return {};
}

Result<void> Control::configure(const Packet& packet) {
  if (!keeper_) return Error{"not started yet", EINVAL};
  const auto configuration = configuration_from_blob(packet.blob);
  if (!configuration) return configuration.error();
  const auto snapshot = keeper_->take(*configuration);
  if (!snapshot) return snapshot.error();
  if (workers_.empty()) return start_workers(*snapshot);
  for (const auto& worker : workers_) worker->set_snapshot(*snapshot);
  shared_->sweep();
  return {};
}

Result<void> Control::take_log(Packet& packet) {
  if (packet.fds.size() != 1) return Error{"no log enclosed", EINVAL};
  if (!log_) return Error{"this proxy was started without an access log", EINVAL};
  // The workers hold the number: it stays, and leads elsewhere.
  if (::dup3(packet.fds[0].get(), log_.get(), O_CLOEXEC) < 0) return errno_error("take the new log");
  return {};
}

std::string Control::stats() {
  if (!shared_) return "{}";
  ReportInput input;
  input.generation = keeper_->generation();
  input.uptime_ms =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_).count());
  input.lost_log_lines = lost_log_lines();
  for (const auto& worker : workers_) input.loops.push_back(&worker->stats());
  return make_report(input, shared_->stats).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Control::drain(net::Duration patience) {
  if (draining()) return;
  drain_deadline_ = Clock::now() + patience;
  if (heartbeat_) heartbeat_->quiet();
  for (const auto& worker : workers_) worker->drain(patience);
  log_line(LogLevel::kInfo, "draining");
}

bool Control::finished() const {
  if (stopped_) return true;
  if (!draining()) return false;
  constexpr auto kGrace = std::chrono::seconds(2);  // the workers end what is left themselves
  if (Clock::now() >= *drain_deadline_ + kGrace) return true;
  for (const auto& worker : workers_) {
    worker->probe();
    if (!worker->drained()) return false;
  }
  return true;
}

}  // namespace weir::proxy_process
