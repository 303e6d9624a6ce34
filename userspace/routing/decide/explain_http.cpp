// One HTTP route after the other, and what the one that matches does to the request.

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "routing/decide/explain_internal.h"
#include "routing/rule/cors.h"
#include "routing/rule/header_operations.h"
#include "routing/rule/match.h"
#include "routing/rule/redirect.h"
#include "routing/rule/retry_policy.h"
#include "routing/rule/rewrite.h"

namespace weir::routing::explaining {
namespace {

constexpr double kMillion = 1'000'000;
constexpr uint32_t kAlways = 1'000'000;

int64_t milliseconds(config::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

// ---------------------------------------------------------------- effects

/// The outcome of the header operations; what cannot be compiled is said and left out.
HeaderPlan compile_headers(Inquiry& inquiry, const config::HeaderOperations& route,
                           const config::HeaderOperations& destination, bool only_destination) {
  auto plan = HeaderPlan::compile(route, destination, only_destination);
  if (plan) return std::move(plan).value();
  inquiry.step("header operations are not applied: " + plan.error().message);
  return {};
}

HeaderList to_list(const std::vector<HeaderField>& fields) {
  HeaderList list;
  for (const HeaderField& field : fields) list.emplace_back(field.name, field.value);
  return list;
}

struct Effects {
  RequestEffect request;
  ResponseEffect response;
};

class EffectMaker {
 public:
  EffectMaker(Inquiry& inquiry, const config::HttpRoute& route, const StringMatcher* uri)
      : inquiry_(inquiry), route_(route), target_(inquiry.view.target), headers_(to_list(inquiry.fields)) {
    if (inquiry.client.address) client_ = inquiry.client.address->to_string();
    if (!route.rewrite) return;
    auto rewriter = Rewriter::compile(*route.rewrite);
    if (!rewriter) {
      inquiry.step("the rewrite is not applied: " + rewriter.error().message);
      return;
    }
    target_ = rewriter->target(inquiry.view.target, uri);
    authority_ = rewriter->authority();
  }

  Effects make(const config::Headers& destination, bool only_destination) {
    const HeaderPlan request = compile_headers(inquiry_, route_.headers.request, destination.request, only_destination);
    const HeaderPlan response =
        compile_headers(inquiry_, route_.headers.response, destination.response, only_destination);
    Effects effects;
    const FormatContext before{inquiry_.view, headers_, client_};
    static_cast<HeaderEffect&>(effects.request) = request.effect(before, true);
    effects.request.path = target_;
    effects.request.host = !authority_.empty()            ? authority_
                           : !request.authority().empty() ? request.authority()
                                                          : inquiry_.authority;

    // The response's format strings see the request as it was sent on.
    HeaderList sent = headers_;
    request.apply(sent, {inquiry_.view, sent, client_});
    RequestView view = inquiry_.view;
    view.authority = effects.request.host;
    view.set_target(effects.request.path);
    effects.response = response.effect({view, sent, client_}, false);
    return effects;
  }

 private:
  Inquiry& inquiry_;
  const config::HttpRoute& route_;
  std::string target_, authority_, client_;
  HeaderList headers_;
};

void set_response(Decision& decision, ResponseEffect effect) {
  if (!effect.empty()) decision.response = std::move(effect);
}

/// One effect for the decision, and one a destination where they are not all the same.
void set_effects(Inquiry& inquiry, const config::HttpRoute& route, const StringMatcher* uri) {
  EffectMaker maker(inquiry, route, uri);
  const std::vector<uint64_t> weights = effective_weights(route.route);
  std::vector<Effects> all;
  for (size_t i = 0; i < route.route.size(); ++i) {
    if (weights[i] != 0) all.push_back(maker.make(route.route[i].headers, route.route.size() == 1));
  }
  Decision& decision = inquiry.decision;
  if (all.empty()) return;
  const bool same = std::ranges::all_of(
      all, [&](const Effects& e) { return e.request == all.front().request && e.response == all.front().response; });
  for (size_t i = 0; !same && i < all.size() && i < decision.destinations.size(); ++i) {
    decision.destinations[i].request = all[i].request;
    if (!all[i].response.empty()) decision.destinations[i].response = all[i].response;
  }
  decision.request = std::move(all.front().request);
  set_response(decision, std::move(all.front().response));
}

// ---------------------------------------------------------------- what a route does

void set_timing(Inquiry& inquiry, const config::HttpRoute& route) {
  Decision& decision = inquiry.decision;
  if (route.timeout) decision.timeout_ms = milliseconds(route.timeout->value);
  if (const auto policy = make_retry_policy(route.retries))
    decision.retries = Decision::Retries{policy->attempts, policy->on()};
}

void set_mirrors(Inquiry& inquiry, const HttpRoute& route) {
  for (const config::Mirror& mirror : route.config->mirrors) {
    if (mirror.percentage.parts_per_million == 0) continue;
    const ResolvedDestination to = resolve_http_destination(inquiry, route.namespace_, mirror.destination);
    inquiry.decision.mirrors.push_back({to.host, to.port, to.subset, mirror.percentage.parts_per_million / kMillion});
    inquiry.step("mirrored to " + to.host + ":" + std::to_string(to.port) +
                 (to.subset.empty() ? "" : " subset " + to.subset) +
                 (to.has_healthy() ? "" : ": nobody gets it, " + to.problem));
  }
}

/// Envoy answers a gRPC status to a plain HTTP request with 200 (istio-facts 35).
int abort_status(const config::FaultAbort& abort) {
  return abort.http_status.value_or(200);
}

void set_fault(Inquiry& inquiry, const config::HttpRoute& route) {
  if (!route.fault) return;
  Decision::Fault fault;
  if (route.fault->delay) {
    fault.delay_ms = milliseconds(route.fault->delay->fixed_delay);
    fault.delay_share = route.fault->delay->percentage.parts_per_million / kMillion;
  }
  if (route.fault->abort) {
    fault.abort_status = abort_status(*route.fault->abort);
    fault.abort_share = route.fault->abort->percentage.parts_per_million / kMillion;
  }
  if (fault.delay_share > 0)
    inquiry.step("fault: some or all requests are delayed by " + std::to_string(fault.delay_ms) + " ms");
  if (fault.abort_share > 0)
    inquiry.step("fault: some or all requests are answered " + std::to_string(fault.abort_status));
  inquiry.decision.fault = fault;
}

bool aborts_all(const config::HttpRoute& route) {
  return route.fault && route.fault->abort && route.fault->abort->percentage.parts_per_million >= kAlways;
}

/// An answer that no endpoint sees.
void answer(Inquiry& inquiry, Action action, int status, std::string step) {
  inquiry.decision.action = action;
  inquiry.decision.status = status;
  inquiry.decision.request.reset();
  inquiry.step(std::move(step));
}

CorsPolicy::Outcome check_cors(Inquiry& inquiry, const config::HttpRoute& route) {
  if (!route.cors_policy) return {};
  const auto policy = CorsPolicy::compile(*route.cors_policy);
  if (policy) return policy->decide(inquiry.view);
  inquiry.step("the CORS policy is not applied: " + policy.error().message);
  return {};
}

void take_answering_route(Inquiry& inquiry, const config::HttpRoute& route, const StringMatcher* uri) {
  EffectMaker maker(inquiry, route, uri);
  set_response(inquiry.decision, maker.make({}, true).response);
  if (!route.redirect) {
    return answer(inquiry, Action::kDirectResponse, route.direct_response->status, "direct response");
  }
  inquiry.decision.redirect = redirect_location(*route.redirect, inquiry.view, uri, inquiry.request.port);
  answer(inquiry, Action::kRedirect, redirect_status(*route.redirect), "redirect to " + *inquiry.decision.redirect);
}

void take_route(Inquiry& inquiry, const HttpRoute& route, const StringMatcher* uri) {
  const config::HttpRoute& written = *route.config;
  Decision& decision = inquiry.decision;
  decision.rule = route.origin;
  set_fault(inquiry, written);
  const CorsPolicy::Outcome cors = check_cors(inquiry, written);
  if (written.redirect || written.direct_response) {
    take_answering_route(inquiry, written, uri);
  } else {
    set_destinations(inquiry, written.route, route.namespace_, Layer::kHttp);
    set_effects(inquiry, written, uri);
    set_timing(inquiry, written);
    set_mirrors(inquiry, route);
  }
  // In this order, as Envoy's filters run: CORS, fault, then the route.
  if (cors.verdict == CorsPolicy::Verdict::kAnswer) {
    decision.response.reset();
    decision.redirect.reset();
    answer(inquiry, Action::kDirectResponse, 200, "a CORS preflight, answered without the endpoint");
  } else if (aborts_all(written)) {
    decision.redirect.reset();
    answer(inquiry, Action::kAbort, abort_status(*written.fault->abort), "every request is aborted by the fault");
  }
  if (cors.response_headers.empty()) return;
  if (!decision.response) decision.response.emplace();
  for (const auto& [name, value] : cors.response_headers) decision.response->set[name] = value;
}

// ---------------------------------------------------------------- matching

/// The entry of `match` that holds, in `matched`; none: the route takes every request. False: no entry holds.
bool matches(Inquiry& inquiry, const ApplicableHttpRoute& route, std::optional<HttpMatcher>& matched,
             std::string& why) {
  if (route.match.empty()) {
    why = "takes every request";
    return true;
  }
  std::string reasons;
  for (const HttpMatch* entry : route.match) {
    auto matcher = HttpMatcher::compile(*entry->config);
    std::string why_not;
    if (!matcher) {
      why_not = "cannot be honoured: " + matcher.error().message;
    } else if (matcher->matches(inquiry.view, &why_not)) {
      why = matcher->needs_request() ? "matches" : "takes every request";
      if (!entry->config->name.empty()) why += " (match \"" + entry->config->name + "\")";
      matched.emplace(std::move(matcher).value());
      return true;
    }
    reasons += (reasons.empty() ? "" : "; or ") + why_not;
  }
  why = "no match: " + reasons;
  return false;
}

}  // namespace

void decide_by_routes(Inquiry& inquiry, const std::vector<ApplicableHttpRoute>& routes) {
  for (const ApplicableHttpRoute& route : routes) {
    std::optional<HttpMatcher> matched;
    std::string why;
    const bool taken = matches(inquiry, route, matched, why);
    inquiry.step(rule_name(route.route->origin) + ": " + why);
    if (taken) return take_route(inquiry, *route.route, matched ? matched->uri() : nullptr);
  }
  answer(inquiry, Action::kNoRoute, 404, "no rule matches: 404");
}

}  // namespace weir::routing::explaining
