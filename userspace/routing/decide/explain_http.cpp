// One HTTP route after the other, and what the one that matches does to the request.

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "routing/decide/explain_internal.h"
#include "routing/decide/rule_index.h"
#include "routing/rule/cors.h"
#include "routing/rule/header_operations.h"
#include "routing/rule/match.h"
#include "routing/rule/method.h"
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
  EffectMaker(Inquiry& inquiry, const HttpRule& rule, const StringMatcher* uri)
      : inquiry_(inquiry), rule_(rule), uri_(uri), headers_(to_list(inquiry.fields)) {
    if (inquiry.client.address) client_ = inquiry.client.address->to_string();
  }

  Effects make(const RuleDestination& destination) {
    const Rewriter* rewrite = destination.rewrite ? destination.rewrite.get() : rule_.rewrite.get();
    const std::string target =
        rewrite != nullptr ? rewrite->target(inquiry_.view.target, uri_) : std::string(inquiry_.view.target);
    const HeaderPlan& request = destination.request_headers;
    Effects effects;
    const FormatContext before{inquiry_.view, headers_, client_};
    static_cast<HeaderEffect&>(effects.request) = request.effect(before, true);
    effects.request.path = target;
    effects.request.host = rewrite != nullptr && !rewrite->authority().empty() ? rewrite->authority()
                           : !request.authority().empty()                      ? request.authority()
                                                                               : inquiry_.authority;

    // The response's format strings see the request as it was sent on.
    HeaderList sent = headers_;
    request.apply(sent, {inquiry_.view, sent, client_});
    RequestView view = inquiry_.view;
    view.authority = effects.request.host;
    view.set_target(effects.request.path);
    effects.response = destination.response_headers.effect({view, sent, client_}, false);
    return effects;
  }

  ResponseEffect local_response() {
    return rule_.local_response_headers.effect({inquiry_.view, headers_, client_}, false);
  }

 private:
  Inquiry& inquiry_;
  const HttpRule& rule_;
  const StringMatcher* uri_;
  std::string client_;
  HeaderList headers_;
};

void set_response(Decision& decision, ResponseEffect effect) {
  if (!effect.empty()) decision.response = std::move(effect);
}

/// One effect for the decision, and one a destination where they are not all the same.
void set_effects(Inquiry& inquiry, const HttpRule& rule, const StringMatcher* uri) {
  EffectMaker maker(inquiry, rule, uri);
  std::vector<Effects> all;
  for (const RuleDestination& destination : rule.destinations)
    if (destination.weight != 0) all.push_back(maker.make(destination));
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

// ---------------------------------------------------------------- what a rule does

void set_timing(Inquiry& inquiry, const HttpRule& rule) {
  Decision& decision = inquiry.decision;
  if (rule.timeout) decision.timeout_ms = milliseconds(*rule.timeout);
  if (!rule.retries) return;
  decision.retries = Decision::Retries{rule.retries->attempts, rule.retries->on()};
  if (rule.retries_written && !is_idempotent(inquiry.request.method))
    inquiry.step("a " + inquiry.request.method +
                 " that may have reached an endpoint is not sent again (RFC 9110 section 9.2.2): its retries are of "
                 "connections that could not be made");
}

/// Of single destinations. set_destinations() has left out those without a weight.
void set_redirects(Inquiry& inquiry, const HttpRule& rule, const StringMatcher* uri) {
  size_t number = 0;
  for (const RuleDestination& destination : rule.destinations) {
    if (destination.weight == 0) continue;
    DecisionDestination& decided = inquiry.decision.destinations[number++];
    if (!destination.redirect) continue;
    decided.redirect = redirect_location(*destination.redirect, inquiry.view, uri, inquiry.rule_port);
    inquiry.step(percent(decided.share) + " is redirected to " + *decided.redirect + ": the share of " + decided.host);
  }
}

void set_mirrors(Inquiry& inquiry, const HttpRule& rule) {
  for (const RuleMirror& mirror : rule.mirrors) {
    if (mirror.parts_per_million == 0) continue;
    const ResolvedDestination to = resolve(inquiry, mirror.to, Layer::kHttp);
    inquiry.decision.mirrors.push_back({to.host, to.port, to.subset, mirror.parts_per_million / kMillion});
    inquiry.step("mirrored to " + to.host + ":" + std::to_string(to.port) +
                 (to.subset.empty() ? "" : " subset " + to.subset) +
                 (to.has_healthy() ? "" : ": nobody gets it, " + to.problem));
  }
}

void set_fault(Inquiry& inquiry, const HttpRule& rule) {
  if (!rule.fault.any()) return;
  Decision::Fault fault;
  fault.delay_ms = milliseconds(rule.fault.delay);
  fault.delay_share = rule.fault.delay_parts_per_million / kMillion;
  fault.abort_status = rule.fault.abort_status;
  fault.abort_share = rule.fault.abort_parts_per_million / kMillion;
  if (fault.delay_share > 0)
    inquiry.step("fault: some or all requests are delayed by " + std::to_string(fault.delay_ms) + " ms");
  if (fault.abort_share > 0)
    inquiry.step("fault: some or all requests are answered " + std::to_string(fault.abort_status));
  inquiry.decision.fault = fault;
}

bool aborts_all(const HttpRule& rule) {
  return rule.fault.abort_status != 0 && rule.fault.abort_parts_per_million >= kAlways;
}

/// An answer that no endpoint sees.
void answer(Inquiry& inquiry, Action action, int status, std::string step) {
  inquiry.decision.action = action;
  inquiry.decision.status = status;
  inquiry.decision.request.reset();
  inquiry.step(std::move(step));
}

void redirect(Inquiry& inquiry, const Redirect& to, const StringMatcher* uri) {
  inquiry.decision.redirect = redirect_location(to, inquiry.view, uri, inquiry.rule_port);
  answer(inquiry, Action::kRedirect, to.status, "redirect to " + *inquiry.decision.redirect);
}

void take_answering_rule(Inquiry& inquiry, const HttpRule& rule, const StringMatcher* uri) {
  set_response(inquiry.decision, EffectMaker(inquiry, rule, uri).local_response());
  if (rule.redirect) return redirect(inquiry, *rule.redirect, uri);
  answer(inquiry, Action::kDirectResponse, rule.direct_response->status, "direct response");
}

void take_rule(Inquiry& inquiry, const HttpRule& rule, const StringMatcher* uri) {
  Decision& decision = inquiry.decision;
  decision.rule = rule.origin;
  for (const std::string& text : rule.left_out) inquiry.step(text);
  set_fault(inquiry, rule);
  const CorsPolicy::Outcome cors = rule.cors ? rule.cors->decide(inquiry.view) : CorsPolicy::Outcome();
  if (rule.redirect || rule.direct_response) {
    take_answering_rule(inquiry, rule, uri);
  } else {
    set_destinations(inquiry, rule.destinations, Layer::kHttp);
    set_effects(inquiry, rule, uri);
    set_redirects(inquiry, rule, uri);
    set_timing(inquiry, rule);
    set_mirrors(inquiry, rule);
  }
  // In this order, as Envoy's filters run: CORS, fault, then the route.
  if (cors.verdict == CorsPolicy::Verdict::kAnswer) {
    decision.response.reset();
    decision.redirect.reset();
    answer(inquiry, Action::kDirectResponse, 200, "a CORS preflight, answered without the endpoint");
  } else if (aborts_all(rule)) {
    decision.redirect.reset();
    answer(inquiry, Action::kAbort, rule.fault.abort_status, "every request is aborted by the fault");
  }
  if (cors.response_headers.empty()) return;
  if (!decision.response) decision.response.emplace();
  for (const auto& [name, value] : cors.response_headers) decision.response->set[name] = value;
}

// ---------------------------------------------------------------- matching

std::string why_taken(const HttpMatch* match) {
  if (match == nullptr) return "takes every request";
  const std::string why = match->takes_every_request() ? "takes every request" : "matches";
  return match->name.empty() ? why : why + " (match \"" + match->name + "\")";
}

}  // namespace

void decide_by_rules(Inquiry& inquiry, const VirtualHost& host) {
  const auto tell = [&](size_t index, const std::string& reasons) {
    inquiry.step(rule_name(host.rules[index].rule->origin) + ": no match: " + reasons);
  };
  const auto taken = find_rule(host.rules, inquiry.view, tell);
  if (!taken) return answer(inquiry, Action::kNoRoute, 404, "no rule matches: 404");
  const HttpRule& rule = *host.rules[taken->rule].rule;
  inquiry.step(rule_name(rule.origin) + ": " + why_taken(taken->match));
  take_rule(inquiry, rule, taken->uri());
}

}  // namespace weir::routing::explaining
