// One try after the other to have an endpoint answer.

#include <algorithm>
#include <cerrno>

#include "proxy/mirror.h"
#include "proxy/session.h"
#include "proxy/worker.h"

namespace weir::proxy {
namespace {

// What is kept of a request's body in case it must go out again.
constexpr size_t kMaxReplay = 65536;

}  // namespace

// ---------------------------------------------------------------- where to

void Session::choose_endpoint() {
  const Route& route = *exchange_.route;
  const pick::Turn turn = route.split->pick();
  exchange_.destination = &route.destinations[turn.destination];
  const Destination& destination = *exchange_.destination;
  if (!destination.exists) {
    answer({503, "", kNoCluster, "cluster_not_found", {}});
    return;
  }
  const auto endpoint = route.split->endpoint_of(turn);
  if (destination.to_dialled) {
    exchange_.endpoint = frontend_.address;
  } else if (!endpoint) {
    answer({503, "no healthy upstream", kNoHealthyEndpoint, "no_healthy_endpoint", {}});
    return;
  } else {
    exchange_.endpoint_index = endpoint;
    exchange_.endpoint = route.split->endpoints(turn.destination)[*endpoint].address;
  }
  if (!prepare_head()) return;
  if (route.timeout > Duration::zero() && exchange_.request == Exchange::Half::kComplete) {
    worker_->loop().arm(deadline_, route.timeout);
  }
  start_try();
}

/// Rewrites and header operations, once for all tries.
bool Session::prepare_head() {
  const Route& route = *exchange_.route;
  const Destination& destination = *exchange_.destination;
  if (route.rewrite) {
    exchange_.rewritten = route.rewrite->target(exchange_.matched_target, exchange_.uri);
    exchange_.authority = route.rewrite->authority();
  }
  if (!destination.request_headers.empty()) {
    apply_request_headers(destination.request_headers);
    if (exchange_.authority.empty()) exchange_.authority = destination.request_headers.authority();
  }
  if (route.rewrite) exchange_.target = exchange_.rewritten;
  exchange_.single_use = !head().upgrade.empty();  // 101 or not (hardening H27)
  exchange_.replayable = exchange_.has_body && exchange_.idempotent;
  return true;
}

namespace {

routing::HeaderList to_list(const http::HeaderList& headers) {
  routing::HeaderList list;
  list.reserve(headers.size());
  for (const http::Header& header : headers) {
    if (header.id != http::HeaderId::kHost) list.emplace_back(header.name, header.value);
  }
  return list;
}

std::vector<std::string_view> values_of(const routing::HeaderList& list, std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto& field : list) {
    if (field.first == name) values.emplace_back(field.second);
  }
  return values;
}

/// Makes `headers` what `after` says, touching only the names that differ.
void take_over(http::HeaderList& headers, const routing::HeaderList& before, const routing::HeaderList& after) {
  std::vector<std::string_view> names;
  for (const routing::HeaderList* list : {&before, &after}) {
    for (const auto& field : *list) {
      if (std::find(names.begin(), names.end(), field.first) == names.end()) names.emplace_back(field.first);
    }
  }
  for (const std::string_view name : names) {
    const auto values = values_of(after, name);
    if (values == values_of(before, name)) continue;
    headers.remove(name);
    for (const std::string_view value : values) headers.add(name, value);
  }
}

}  // namespace

void Session::apply_request_headers(const routing::HeaderPlan& plan) {
  http::HeaderList& headers = head().headers;
  const routing::HeaderList before = to_list(headers);
  routing::HeaderList after = before;
  const routing::RequestView view = view_for_formats();
  plan.apply(after, {view, after, client_text_});
  take_over(headers, before, after);
}

void Session::apply_response_headers(http::ResponseHead& response, const routing::HeaderPlan& plan) {
  for (const auto& [name, value] : exchange_.cors.response_headers) response.headers.set(name, value);
  if (plan.empty()) return;
  const routing::HeaderList before = to_list(response.headers);
  routing::HeaderList after = before;
  const routing::HeaderList request = to_list(head().headers);
  const routing::RequestView view = view_for_formats();
  plan.apply(after, {view, request, client_text_});
  take_over(response.headers, before, after);
}

// ---------------------------------------------------------------- a try

void Session::start_try() {
  ++exchange_.tries;
  exchange_.head_sent = exchange_.endpoint_spoke = false;
  const EndpointKey key{exchange_.destination->service, exchange_.endpoint};
  // A fresh connection after a stale one: the others in the pool are likely stale as well.
  endpoint_ = exchange_.stale_retried ? nullptr : worker_->pool().take_idle(key, *this);
  Duration limit = exchange_.route->retries.per_try_timeout();
  const Duration response_head = worker_->options().timeouts.response_head;
  if (limit == Duration::zero() && exchange_.route->timeout == Duration::zero()) limit = response_head;
  if (limit > Duration::zero()) worker_->loop().arm(try_deadline_, limit);
  if (endpoint_ != nullptr) {
    send_head();
    return;
  }
  Duration connect_timeout = exchange_.destination->connect_timeout;
  if (connect_timeout == Duration::zero()) connect_timeout = worker_->options().timeouts.connect;
  auto connection = worker_->pool().connect(key, *this, connect_timeout);
  if (!connection) {
    fail_try(Failure::kConnect, connection.error().code, false);
    return;
  }
  endpoint_ = *connection;
}

void Session::on_endpoint_connected() {
  send_head();
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
  http::ClientCodec& codec = endpoint_->codec();
  std::span<char> out = worker_->scratch(body.size() + codec.body_overhead());
  const http::Written written = codec.write_body(body, out);
  if (!written) {  // more than the head promised: the parser does not let that through
    abort_exchange();
    return;
  }
  endpoint_->stream().write_whole({out.data(), written.size});
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
    std::span<char> out = worker_->scratch(piece.size() + endpoint_->codec().body_overhead());
    const http::Written written = endpoint_->codec().write_body(piece, out);
    if (written) endpoint_->stream().write_whole({out.data(), written.size});
    replay_.append(piece);
    again.consume(piece.size());
  }
}

// ---------------------------------------------------------------- and its failure

void Session::drop_endpoint(bool reset) {
  if (endpoint_ == nullptr) return;
  EndpointConnection* connection = std::exchange(endpoint_, nullptr);
  const uint32_t limit = exchange_.destination != nullptr ? exchange_.destination->max_requests_a_connection : 0;
  const bool used_up = limit != 0 && connection->requests() >= limit;
  // Both messages have ended as they should (next()), and the endpoint has taken all of the request.
  if (!reset && !exchange_.single_use && !used_up && connection->connected() && !worker_->draining() &&
      connection->stream().unsent() == 0 && connection->codec().next()) {
    worker_->pool().give_back(*connection);
  } else {
    worker_->pool().discard(*connection, reset);
  }
}

void Session::fail_try(Failure failure, int error_number, bool reused) {
  try_deadline_.cancel();
  if (exchange_.endpoint_index) {
    EndpointStats& stats = exchange_.destination->endpoint_stats[*exchange_.endpoint_index]->of_loop(worker_->number());
    (failure == Failure::kConnect ? stats.connect_failures : stats.resets).add();
  }
  const bool stale = failure == Failure::kReset && reused && !exchange_.endpoint_spoke;
  drop_endpoint(true);
  if (stale && !exchange_.stale_retried && can_send_again(failure)) {
    exchange_.stale_retried = true;  // the endpoint was closing it as we wrote (hardening N8)
    start_try();
    return;
  }
  if (retry(failure)) return;
  answer_failure(failure, error_number);
}

/// Never after a byte of a request that must not be repeated (RFC 9110 section 9.2.2).
bool Session::can_send_again(Failure failure) const {
  if (exchange_.response != Exchange::Half::kHead || exchange_.discard_body) return false;
  if (failure == Failure::kConnect) return true;
  return exchange_.idempotent && (!exchange_.has_body || exchange_.replayable);
}

bool Session::retry(Failure failure) {
  const RetryRules& rules = exchange_.route->retries;
  if (!rules.takes(failure) || !can_send_again(failure)) return false;
  if (exchange_.retries >= rules.attempts()) {
    if (rules.attempts() > 0) exchange_.flags |= kRetriesUsedUp;
    return false;
  }
  begin_retry();
  return true;
}

void Session::begin_retry() {
  ++exchange_.retries;
  // Another endpoint of the same destination, where there is one.
  const Route& route = *exchange_.route;
  if (exchange_.endpoint_index) {
    const auto number = static_cast<size_t>(exchange_.destination - route.destinations.data());
    const auto& endpoints = route.split->endpoints(number);
    const auto next = (*exchange_.endpoint_index + 1) % static_cast<uint32_t>(endpoints.size());
    exchange_.endpoint_index = next;
    exchange_.endpoint = endpoints[next].address;
  }
  worker_->loop().arm(pause_, route.retries.backoff(exchange_.retries, worker_->random()));
}

void Session::answer_failure(Failure failure, int error_number) {
  const bool again = (exchange_.flags & kRetriesUsedUp) != 0;
  switch (failure) {
    case Failure::kPerTryTimeout:
      answer({504, "upstream request timeout", kTimeout, "per_try_timeout", {}});
      return;
    case Failure::kReset:
      answer({503,
              again ? "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: "
                      "connection termination"
                    : "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
              kEndpointClosed,
              "endpoint_closed_before_answer",
              {}});
      return;
    case Failure::kConnect:
      break;
  }
  if (error_number == ETIMEDOUT) {
    answer({504,
            "upstream connect error or disconnect/reset before headers. reset reason: connection timeout",
            kConnectFailure,
            "connect_timeout",
            {}});
    return;
  }
  answer(
      {503,
       again ? "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote "
               "connection failure"
             : "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
       kConnectFailure,
       "connect_failure",
       {}});
}

/// The route's timeout covers everything, retries too.
void Session::on_deadline() {
  exchange_.flags |= kTimeout;
  if (exchange_.response == Exchange::Half::kHead) {
    drop_endpoint(true);
    answer({504, "upstream request timeout", kTimeout, "response_timeout", {}});
  } else {
    fail_response();
  }
}

void Session::on_try_deadline() {
  fail_try(Failure::kPerTryTimeout, ETIMEDOUT, false);
}

}  // namespace weir::proxy
