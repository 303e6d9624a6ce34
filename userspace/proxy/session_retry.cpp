// A try's failure: again, elsewhere, or an answer that says so.

#include <cerrno>

#include "proxy/session.h"
#include "proxy/worker.h"

namespace weir::proxy {

/// To outlier detection.
void Session::report(TryResult result) {
  if (!exchange_.endpoint_index) return;
  const Destination& destination = *exchange_.destination;
  const std::span states = destination.balancer.states();
  const uint32_t index = *exchange_.endpoint_index;
  if (destination.state->report(*states[index], result, destination.outlier, states, worker_->loop().now())) {
    destination.endpoint_stats[index]->of_loop(worker_->number()).ejections.add();
  }
}

void Session::fail_try(Failure failure, int error_number, bool reused) {
  try_deadline_.cancel();
  if (exchange_.endpoint_index) {
    EndpointStats& stats = exchange_.destination->endpoint_stats[*exchange_.endpoint_index]->of_loop(worker_->number());
    (failure == Failure::kConnect ? stats.connect_failures : stats.resets).add();
  }
  const bool stale = failure == Failure::kReset && reused && !exchange_.endpoint_spoke;
  if (!stale) report(TryResult::kLocalFailure);
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
  return begin_retry();
}

/// At another endpoint of the same destination, where there is one. False: too many are being retried already, or
/// nobody is left.
bool Session::begin_retry() {
  DestinationState& state = *exchange_.destination->state;
  if (!exchange_.counted_retry) {
    const uint32_t most = exchange_.destination->limits.max_retries;
    if (most != PoolLimits::kNone && state.retries.load(std::memory_order_relaxed) >= most) {
      exchange_.flags |= kOverflow;
      return false;
    }
    state.retries.fetch_add(1, std::memory_order_relaxed);
    exchange_.counted_retry = true;
  }
  if (exchange_.endpoint_index) {
    exchange_.tried[exchange_.tried_count % exchange_.tried.size()] = *exchange_.endpoint_index;
    if (exchange_.tried_count < exchange_.tried.size()) ++exchange_.tried_count;
    if (!pick_endpoint()) return false;
  }
  ++exchange_.retries;
  worker_->loop().arm(pause_, exchange_.route->retries.backoff(exchange_.retries, worker_->random()));
  return true;
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
