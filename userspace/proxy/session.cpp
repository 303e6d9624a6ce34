// The life of a client connection: between requests, the end of an exchange, and what the clock says.

#include "proxy/session.h"

#include <algorithm>
#include <ctime>

#include "proxy/mirror.h"
#include "proxy/worker.h"

namespace weir::proxy {

namespace {
// A connection that is idle for this long gives back the memory that it would need again for the next request.
constexpr Duration kSettle = std::chrono::seconds(1);
}  // namespace

Session::Session(Worker& worker, uint16_t frontend_port, Frontend frontend, const IpAddress& client)
    : worker_(&worker),
      codec_(worker.options().http),
      frontend_port_(frontend_port),
      frontend_(std::move(frontend)),
      client_(client),
      client_text_(client.to_string()),
      replay_(worker.blocks()),
      watch_(&net::Timer::call<&Session::on_watch, Session>, this),
      deadline_(&net::Timer::call<&Session::on_deadline, Session>, this),
      try_deadline_(&net::Timer::call<&Session::on_try_deadline, Session>, this),
      pause_(&net::Timer::call<&Session::on_pause_over, Session>, this) {}

Session::~Session() = default;

Duration Session::since(net::TimePoint start) const {
  return worker_->loop().now() - start;
}

void Session::start(FileDescriptor fd) {
  client_stream_ = worker_->loop().adopt(std::move(fd), *this);
  worker_->enter_idle(*this);
  if (frontend_.speech != Speech::kHttp1) state_ = State::kSniff;
  const Timeouts& timeouts = worker_->options().timeouts;
  if (frontend_.speech == Speech::kOther) {
    begin_raw_tunnel(false);
  } else {
    worker_->loop().arm(watch_, frontend_.speech == Speech::kAuto ? timeouts.sniff : timeouts.head);
  }
}

// ---------------------------------------------------------------- events of the client

size_t Session::on_data(std::string_view bytes) {
  if (state_ == State::kTunnel) return tunnel(endpoint_->stream(), bytes);
  if (state_ == State::kSniff) return sniff_more(bytes);
  return read_request(bytes);
}

void Session::on_drained() {
  if (endpoint_ != nullptr) endpoint_->stream().resume_read();
}

void Session::on_eof() {
  client_ended_ = true;
  if (state_ == State::kTunnel) {
    endpoint_->stream().shutdown_write();
    if (endpoint_ended_) end_tunnel();
    return;
  }
  if (state_ == State::kSniff) {
    on_sniff_end();
    return;
  }
  // After a whole request FIN means "no more requests", not "never mind" (hardening H36). Half a request is not to be
  // completed.
  if (state_ == State::kExchange && exchange_.request == Exchange::Half::kComplete) return;
  if (state_ == State::kExchange) {
    exchange_.flags |= kClientClosed;
    abort_exchange();
    return;
  }
  close();
}

void Session::on_write_failed(int) {
  if (state_ == State::kExchange) exchange_.flags |= kClientClosed;
  abort_exchange();
}

void Session::on_error(int) {
  if (state_ == State::kExchange) exchange_.flags |= kClientClosed;
  abort_exchange();
}

// ---------------------------------------------------------------- between requests, and the end

void Session::begin_idle() {
  state_ = State::kIdle;
  expecting_head_ = false;
  exchange_.reset();
  worker_->enter_idle(*this);
  const Duration timeout = worker_->options().timeouts.keep_alive;
  settled_ = timeout <= kSettle;
  worker_->loop().arm(watch_, settled_ ? timeout : kSettle);
  client_stream_.resume_read();
}

/// The one place that decides what follows from the state of the two halves.
void Session::maybe_finish() {
  if (state_ != State::kExchange || exchange_.response != Exchange::Half::kComplete) return;
  // An answer before the request's end is the end of both (hardening H34): neither connection is used again.
  finish_exchange();
}

void Session::finish_exchange() {
  deadline_.cancel();
  try_deadline_.cancel();
  pause_.cancel();
  record();
  drop_endpoint();
  leave_destination();
  for (Mirror* mirror : mirrors_) mirror->finish(exchange_.request == Exchange::Half::kComplete);
  mirrors_.clear();
  replay_.clear();
  const bool another = codec_.next(stream_id_) && !worker_->draining() && !client_ended_;
  if (another) {
    begin_idle();
    return;
  }
  client_stream_.finish();
  close();
}

/// Nothing that was begun can be ended well: no byte more to anyone.
void Session::abort_exchange() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kExchange || state_ == State::kTunnel) record();
  drop_endpoint(true);
  leave_destination();
  for (Mirror* mirror : mirrors_) mirror->finish(false);
  mirrors_.clear();
  close();
}

/// Off the counters that limits look at.
void Session::leave_destination() {
  if (exchange_.destination == nullptr || !exchange_.destination->state) return;
  DestinationState& state = *exchange_.destination->state;
  if (std::exchange(exchange_.counted_request, false)) state.requests.fetch_sub(1, std::memory_order_relaxed);
  if (std::exchange(exchange_.counted_retry, false)) state.retries.fetch_sub(1, std::memory_order_relaxed);
}

void Session::close() {
  if (state_ == State::kClosed) return;
  // Answers to the requests before may still be on their way: FIN comes behind them (hardening H36).
  const bool answered = state_ == State::kIdle || state_ == State::kHead ||
                        (state_ == State::kExchange && exchange_.response == Exchange::Half::kHead);
  if (answered && client_stream_.unsent() > 0) client_stream_.finish();
  state_ = State::kClosed;
  worker_->leave_idle(*this);
  watch_.cancel();
  deadline_.cancel();
  try_deadline_.cancel();
  pause_.cancel();
  drop_endpoint();
  leave_destination();
  for (Mirror* mirror : mirrors_) mirror->finish(false);
  mirrors_.clear();
  client_stream_.close();  // does nothing to a stream that finishes on its own
  worker_->bury(*this);
}

void Session::forget_mirror(const Mirror& mirror) {
  std::erase(mirrors_, &mirror);
}

// ---------------------------------------------------------------- the clock

void Session::on_watch() {
  switch (state_) {
    case State::kSniff:
      on_sniff_timeout();
      return;
    case State::kIdle:
      on_idle();
      return;
    case State::kHead:
      worker_->stats().head_timeouts.add();
      refuse(408, "the request took too long", kClientProtocol);
      return;
    case State::kExchange:
      if (watch_body()) worker_->loop().arm(watch_, worker_->options().timeouts.body_idle);
      return;
    case State::kTunnel:
      watch_tunnel();
      return;
    case State::kClosed:
      return;
  }
}

/// An answer may take its time, but not for ever: its client may have closed for good, which only a byte to it would
/// show. If it has sent FIN, a period without any byte is enough.
bool Session::answer_has_ceased(Duration period) {
  const uint64_t answered = exchange_.bytes_sent - std::exchange(watched_answered_, exchange_.bytes_sent);
  const bool silent = exchange_.response == Exchange::Half::kBody && client_stream_.unsent() == 0 && answered == 0;
  exchange_.silence = silent ? exchange_.silence + period : Duration::zero();
  return silent && (client_ended_ || exchange_.silence >= worker_->options().timeouts.answer_idle);
}

/// Once a period: has what can move moved? False: the session is over.
bool Session::watch_body() {
  const Duration period = worker_->options().timeouts.body_idle;
  const std::chrono::duration<double> seconds = period;
  const auto least = std::max<uint64_t>(
      1, static_cast<uint64_t>(static_cast<double>(worker_->options().minimum_rate) * seconds.count()));
  const uint64_t from_client = exchange_.bytes_received - std::exchange(watched_received_, exchange_.bytes_received);
  const uint64_t to_client = client_stream_.sent() - std::exchange(watched_client_sent_, client_stream_.sent());
  const net::Stream endpoint = endpoint_ == nullptr ? net::Stream() : endpoint_->stream();
  const uint64_t to_endpoint = endpoint.sent() - std::exchange(watched_endpoint_sent_, endpoint.sent());
  if (answer_has_ceased(period)) {
    exchange_.flags |= kIdleTimeout;
    client_stream_.reset();
    abort_exchange();
    return false;
  }
  const bool client_owes =
      exchange_.request == Exchange::Half::kBody && ready_for_body() && !client_stream_.read_paused();
  const bool client_blocks = client_stream_.unsent() > 0 && to_client < least;
  const bool endpoint_blocks = endpoint.unsent() > 0 && endpoint_->connected() && to_endpoint == 0;
  if (client_blocks || (client_owes && from_client < least)) {
    worker_->stats().slow_bodies.add();
    exchange_.flags |= kIdleTimeout;
    if (!client_blocks && exchange_.response == Exchange::Half::kHead) {
      drop_endpoint(true);
      answer({408, "the request's body took too long", kIdleTimeout, "slow_request_body", {}});
    } else {
      client_stream_.reset();
      abort_exchange();
    }
    return false;
  }
  if (endpoint_blocks && exchange_.response == Exchange::Half::kHead) {
    drop_endpoint(true);
    answer({504, "the endpoint takes no more of the request", kIdleTimeout, "endpoint_does_not_read", {}});
    return false;
  }
  return true;
}

void Session::on_idle() {
  if (!expecting_head_ && !settled_) {
    settled_ = true;
    codec_.release_memory();
    exchange_.release_memory();
    worker_->loop().arm(watch_, worker_->options().timeouts.keep_alive - kSettle);
    return;
  }
  (expecting_head_ ? worker_->stats().head_timeouts : worker_->stats().idle_closed).add();
  client_stream_.finish();
  close();
}

// ---------------------------------------------------------------- what is written down

void Session::record() {
  count();
  if (worker_->log().enabled()) write_log();
}

void Session::count() {
  const size_t loop = worker_->number();
  const SharedTrafficStats& shared = exchange_.destination != nullptr ? exchange_.destination->traffic
                                     : exchange_.route != nullptr     ? exchange_.route->local_traffic
                                     : exchange_.list != nullptr      ? exchange_.list->unmatched_traffic
                                                                      : nullptr;
  if (shared == nullptr) return;
  TrafficStats& stats = shared->of_loop(loop);
  stats.bytes_received.add(exchange_.bytes_received);
  stats.bytes_sent.add(exchange_.bytes_sent);
  if (exchange_.list->kind == RouteList::Kind::kTunnel) {
    stats.tunnels.add();
    count_flags(stats);
    return;
  }
  stats.requests.add();
  stats.retries.add(exchange_.retries);
  stats.status_classes[std::min(exchange_.status / 100, 5)].add();
  if (exchange_.status > 0) stats.statuses.add(exchange_.status);
  stats.durations.add(since(exchange_.started));
  count_flags(stats);
}

void Session::count_flags(TrafficStats& stats) const {
  if (exchange_.flags == 0) return;
  for (uint32_t number = 0; number < kFlagCount; ++number) {
    if ((exchange_.flags & (1U << number)) != 0) stats.flags[number].add();
  }
  if ((exchange_.flags & kDelayInjected) != 0) stats.delays.add();
  if ((exchange_.flags & kFaultInjected) != 0) stats.aborts.add();
}

void Session::write_log() {
  const http::RequestHead& request = head();
  LogEntry entry;
  std::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  entry.duration = since(exchange_.started);
  entry.unix_time_ms = now.tv_sec * 1000 + now.tv_nsec / 1'000'000 -
                       std::chrono::duration_cast<std::chrono::milliseconds>(entry.duration).count();
  entry.method = request.method_name;
  entry.target = request.target;
  entry.authority = request.authority;
  entry.protocol = request.version == http::Version::kHttp10 ? "HTTP/1.0" : "HTTP/1.1";
  entry.status = exchange_.status;
  entry.flags = exchange_.flags;
  entry.bytes_received = exchange_.bytes_received;
  entry.bytes_sent = exchange_.bytes_sent;
  entry.endpoint_duration = exchange_.endpoint_duration;
  entry.attempts = exchange_.tries;
  entry.client = client_text_;
  entry.request_id = request.headers.value(http::HeaderId::kXRequestId);
  entry.user_agent = request.headers.value(http::HeaderId::kUserAgent);
  entry.details = exchange_.details;
  entry.service = exchange_.list != nullptr ? std::string_view(exchange_.list->service) : std::string_view();
  if (exchange_.route != nullptr) entry.rule = exchange_.route->name;
  std::string endpoint;
  if (exchange_.destination != nullptr) {
    entry.destination = exchange_.destination->name;
    if (exchange_.tries > 0) endpoint = exchange_.endpoint.to_string();
  }
  entry.endpoint = endpoint;
  worker_->log().add(entry);
  worker_->log_later();
}

}  // namespace weir::proxy
