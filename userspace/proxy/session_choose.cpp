// From the route to an endpoint, and what it is sent.

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "proxy/session.h"
#include "proxy/worker.h"

namespace weir::proxy {
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

std::string cookie_text(const CookieRule& rule, std::string_view value) {
  std::string text = rule.name + "=\"" + std::string(value) + "\"";
  if (rule.ttl.count() > 0) text += "; Max-Age=" + std::to_string(rule.ttl.count());
  if (!rule.path.empty()) text += "; Path=" + rule.path;
  return text + "; HttpOnly";
}

/// Room on the counters of one destination; without a lock, see DestinationState.
bool at_limit(const std::atomic<uint32_t>& count, uint32_t limit) {
  return limit != PoolLimits::kNone && count.load(std::memory_order_relaxed) >= limit;
}

}  // namespace

void Session::choose_endpoint() {
  const Route& route = *exchange_.route;
  const auto sticky = key_of(route.sticky, head(), client_text_);
  exchange_.turn = sticky ? route.split->pick(*sticky) : route.split->pick();
  exchange_.destination = &route.destinations[exchange_.turn.destination];
  const Destination& destination = *exchange_.destination;
  if (destination.redirect != nullptr) {
    redirect(*destination.redirect);
    return;
  }
  if (!destination.exists) {
    answer({destination.refused_status, "", kNoCluster, "cluster_not_found", {}});
    return;
  }
  if (at_limit(destination.state->requests, destination.limits.max_requests)) {
    overflow();
    return;
  }
  destination.state->requests.fetch_add(1, std::memory_order_relaxed);
  exchange_.counted_request = true;
  find_balancing_key();
  if (!pick_endpoint()) {
    answer({503, "no healthy upstream", kNoHealthyEndpoint, "no_healthy_endpoint", {}});
    return;
  }
  prepare_head();
  if (route.timeout > Duration::zero() && exchange_.request == Exchange::Half::kComplete) {
    worker_->loop().arm(deadline_, route.timeout);
  }
  start_try();
}

/// Consistent hashing: of a client without the cookie that makes its key, the answer brings one.
void Session::find_balancing_key() {
  const Balancer& balancer = exchange_.destination->balancer;
  if (balancer.kind() != Balancer::Kind::kHash) return;
  exchange_.balancing_key = key_of(balancer.key_source(), head(), client_text_);
  if (exchange_.balancing_key || !balancer.cookie()) return;
  std::array<char, 16> value;
  const auto end = std::to_chars(value.data(), value.data() + value.size(), worker_->random(), 16);
  const std::string_view text(value.data(), static_cast<size_t>(end.ptr - value.data()));
  exchange_.balancing_key = hash64(text);
  exchange_.set_cookie = cookie_text(*balancer.cookie(), text);
}

/// False: there is none that may get the request.
bool Session::pick_endpoint() {
  const Destination& destination = *exchange_.destination;
  if (destination.to_dialled) {
    exchange_.endpoint = frontend_.address;
    return true;
  }
  const Split& split = *exchange_.route->split;
  const std::span tried(exchange_.tried.data(), exchange_.tried_count);
  const Balancer::Question question{.split = split,
                                    .turn = exchange_.turn,
                                    .key = exchange_.balancing_key,
                                    .random = worker_->random(),
                                    .now = worker_->loop().now(),
                                    .tried = tried};
  const auto index = destination.balancer.choose(*destination.state, question);
  if (!index) return false;
  exchange_.endpoint_index = index;
  exchange_.endpoint = split.endpoints(exchange_.turn.destination)[*index].address;
  return true;
}

void Session::overflow() {
  answer({503,
          "upstream connect error or disconnect/reset before headers. reset reason: overflow",
          kOverflow,
          "overflow",
          {}});
}

// ---------------------------------------------------------------- rewrites and header operations

/// Once for all tries.
void Session::prepare_head() {
  const Destination& destination = *exchange_.destination;
  const routing::Rewriter* rewrite = destination.rewrite != nullptr ? destination.rewrite : exchange_.route->rewrite;
  exchange_.rewrites = rewrite != nullptr;
  if (rewrite != nullptr) {
    exchange_.rewritten = rewrite->target(exchange_.matched_target, exchange_.uri);
    exchange_.authority = rewrite->authority();
  }
  if (!destination.request_headers.empty()) {
    apply_request_headers(destination.request_headers);
    if (exchange_.authority.empty()) exchange_.authority = destination.request_headers.authority();
  }
  set_originals();
  if (exchange_.rewrites) exchange_.target = exchange_.rewritten;
  exchange_.single_use = !head().upgrade.empty();  // 101 or not (hardening H27)
  exchange_.replayable = exchange_.has_body && exchange_.idempotent;
}

/// What the client asked for, where the endpoint gets to see something else; a client's own word for it never gets
/// there (istio-facts 29, 31).
void Session::set_originals() {
  http::HeaderList& headers = head().headers;
  if (exchange_.rewrites && exchange_.rewritten != exchange_.target) {
    headers.set("x-envoy-original-path", exchange_.target);
  }
  if (!exchange_.authority.empty() && exchange_.authority != head().authority) {
    headers.set("x-envoy-original-host", head().authority);
  }
}

void Session::apply_request_headers(const routing::HeaderPlan& plan) {
  http::HeaderList& headers = head().headers;
  if (plan.constant()) {
    plan.apply_constant(headers);
    return;
  }
  const routing::HeaderList before = to_list(headers);
  routing::HeaderList after = before;
  const routing::RequestView view = view_for_formats();
  plan.apply(after, {view, after, client_text_});
  take_over(headers, before, after);
}

void Session::apply_response_headers(http::ResponseHead& response, const routing::HeaderPlan& plan) {
  for (const auto& [name, value] : exchange_.cors.response_headers) response.headers.set(name, value);
  if (!exchange_.set_cookie.empty()) response.headers.add("set-cookie", exchange_.set_cookie);
  if (plan.empty()) return;
  if (plan.constant()) {
    plan.apply_constant(response.headers);
    return;
  }
  const routing::HeaderList before = to_list(response.headers);
  routing::HeaderList after = before;
  const routing::HeaderList request = to_list(head().headers);
  const routing::RequestView view = view_for_formats();
  plan.apply(after, {view, request, client_text_});
  take_over(response.headers, before, after);
}

}  // namespace weir::proxy
