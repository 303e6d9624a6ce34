// One try after the other to have an endpoint answer.

#include <algorithm>

#include "proxy/body_output.h"
#include "proxy/mirror.h"
#include "proxy/session.h"
#include "proxy/worker.h"

namespace weir::proxy {
namespace {

// What is kept of a request's body in case it must go out again.
constexpr size_t kMaxReplay = 65536;

}  // namespace

// ---------------------------------------------------------------- a try

void Session::start_try() {
  ++exchange_.tries;
  exchange_.head_sent = exchange_.endpoint_spoke = false;
  Duration limit = exchange_.route->retries.per_try_timeout();
  const Duration response_head = worker_->options().timeouts.response_head;
  if (limit == Duration::zero() && exchange_.route->timeout == Duration::zero()) limit = response_head;
  if (limit > Duration::zero()) worker_->loop().arm(try_deadline_, limit);
  if (exchange_.endpoint_index) {
    exchange_.destination->balancer.states()[*exchange_.endpoint_index]->open_requests.fetch_add(
        1, std::memory_order_relaxed);
    exchange_.counted_open = exchange_.endpoint_index;
  }
  connect_try();
}

/// An idle connection, a new one, or a place in the queue for one.
void Session::connect_try() {
  const Destination& destination = *exchange_.destination;
  const EndpointKey key{destination.key, exchange_.endpoint};
  const bool full = worker_->pool().full(key, destination.limits, *destination.state);
  // A fresh connection after a stale one, where there is room: the others in the pool are likely stale as well.
  endpoint_ = exchange_.stale_retried && !full ? nullptr : worker_->pool().take_idle(key, *this);
  if (endpoint_ != nullptr) {
    leave_queue();
    send_head();
    return;
  }
  if (!enter_pending()) {
    drop_endpoint();
    try_deadline_.cancel();
    overflow();
    return;
  }
  if (full) {
    exchange_.waiting = true;
    worker_->pool().wait(key, *this, destination.limits, destination.state);
    return;
  }
  auto connection = worker_->pool().connect(key, *this, destination.limits, destination.state);
  if (!connection) {
    fail_try(Failure::kConnect, connection.error().code, false);
    return;
  }
  endpoint_ = *connection;
  if (exchange_.endpoint_index) {
    destination.endpoint_stats[*exchange_.endpoint_index]->of_loop(worker_->number()).connections.add();
  }
}

/// False: as many as may wait, do. Whoever waits again keeps its place.
bool Session::enter_pending() {
  if (exchange_.counted_pending) return true;
  const Destination& destination = *exchange_.destination;
  std::atomic<uint32_t>& pending = destination.state->pending;
  const uint32_t most = destination.limits.max_pending;
  if (most != PoolLimits::kNone && pending.load(std::memory_order_relaxed) >= most) return false;
  pending.fetch_add(1, std::memory_order_relaxed);
  exchange_.counted_pending = true;
  return true;
}

void Session::on_endpoint_free() {
  exchange_.waiting = false;
  connect_try();
}

void Session::leave_queue() {
  if (exchange_.destination == nullptr) return;
  if (std::exchange(exchange_.waiting, false)) {
    worker_->pool().stop_waiting({exchange_.destination->key, exchange_.endpoint}, *this);
  }
  if (std::exchange(exchange_.counted_pending, false)) {
    exchange_.destination->state->pending.fetch_sub(1, std::memory_order_relaxed);
  }
}

void Session::on_endpoint_connected() {
  leave_queue();
  if (state_ != State::kTunnel) send_head();
}

void Session::send_head() {
  const http::RequestWriteOptions options{.path_and_query = exchange_.target,
                                          .authority = exchange_.authority,
                                          .client_address = client_text_,
                                          .forwarded_proto = "http",
                                          .via = worker_->options().via,
                                          .protected_names = {}};
  http::ClientCodec& codec = endpoint_->codec();
  std::span<char> out = worker_->scratch(codec.head_bound(head(), options));
  const http::Written written = codec.write_head(head(), options, out);
  if (!written) {
    drop_endpoint();
    answer({400, "the request cannot be forwarded", kClientProtocol, "unwritable_head", {}});
    return;
  }
  endpoint_->stream().write_whole({out.data(), written.size});
  if (exchange_.endpoint_index) {
    exchange_.destination->endpoint_stats[*exchange_.endpoint_index]->of_loop(worker_->number()).requests.add();
  }
  exchange_.head_sent = true;
  if (!exchange_.mirrored) start_mirrors(options);
  replay_body();
  if (exchange_.request == Exchange::Half::kComplete) {
    end_request_body();
  } else {
    client_stream_.resume_read();
  }
}

void Session::start_mirrors(const http::RequestWriteOptions& options) {
  exchange_.mirrored = true;
  for (const MirrorTarget& target : exchange_.route->mirrors) {
    if (!target.split || !worker_->draw(target.parts_per_million)) continue;
    TrafficStats& stats = exchange_.destination->traffic->of_loop(worker_->number());
    Mirror* mirror = worker_->make_mirror(*this);
    if (mirror != nullptr) mirrors_.push_back(mirror);
    if (mirror != nullptr && mirror->begin(target, frontend_.address, head(), options)) {
      stats.mirrors.add();
    } else {
      stats.mirrors_dropped.add();
      if (mirror != nullptr) mirror->finish(false);
      if (mirror != nullptr) forget_mirror(*mirror);
    }
  }
}

void Session::forward_body(std::string_view body) {
  exchange_.bytes_received += body.size();
  if (exchange_.discard_body) return;
  const http::BodyFrame frame = endpoint_->codec().frame_body(body.size());
  if (!frame) {  // more than the head promised: the parser does not let that through
    abort_exchange();
    return;
  }
  write_framed(endpoint_->stream(), frame, body);
  for (size_t index = mirrors_.size(); index-- > 0;) mirrors_[index]->write_body(body);  // may forget itself
  if (!exchange_.replayable) return;
  if (replay_.size() + body.size() > kMaxReplay) {
    exchange_.replayable = false;
    replay_.clear();
  } else {
    replay_.append(body);
  }
}

void Session::end_request_body() {
  if (exchange_.route != nullptr && exchange_.route->timeout > Duration::zero() && !deadline_.armed() &&
      exchange_.has_body) {
    worker_->loop().arm(deadline_, exchange_.route->timeout);
  }
  if (exchange_.discard_body || endpoint_ == nullptr || !exchange_.head_sent) return;
  std::span<char> out = worker_->scratch(endpoint_->codec().body_overhead());
  const http::Written written = endpoint_->codec().write_end(out);
  if (!written) {
    abort_exchange();
    return;
  }
  endpoint_->stream().write_whole({out.data(), written.size});
  if (!exchange_.mirror_ended) {
    exchange_.mirror_ended = true;
    for (size_t index = mirrors_.size(); index-- > 0;) mirrors_[index]->end_body();
  }
}

/// What an earlier try has sent of the body goes out first.
void Session::replay_body() {
  if (replay_.empty()) return;
  net::BlockQueue again(std::move(replay_));
  for (; !again.empty();) {
    const std::string_view piece = again.front();
    const http::BodyFrame frame = endpoint_->codec().frame_body(piece.size());
    if (frame) write_framed(endpoint_->stream(), frame, piece);
    replay_.append(piece);
    again.consume(piece.size());
  }
}

// ---------------------------------------------------------------- and its end

void Session::drop_endpoint(bool reset) {
  leave_queue();
  if (const auto index = std::exchange(exchange_.counted_open, std::nullopt)) {
    exchange_.destination->balancer.states()[*index]->open_requests.fetch_sub(1, std::memory_order_relaxed);
  }
  if (endpoint_ == nullptr) return;
  EndpointConnection* connection = std::exchange(endpoint_, nullptr);
  // Both messages have ended as they should (next()), and the endpoint has taken all of the request.
  if (!reset && !exchange_.single_use && connection->connected() && !worker_->draining() &&
      connection->stream().unsent() == 0 && connection->codec().next()) {
    worker_->pool().give_back(*connection);
  } else {
    worker_->pool().discard(*connection, reset);
  }
}

}  // namespace weir::proxy
