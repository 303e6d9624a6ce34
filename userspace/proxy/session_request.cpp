// From the bytes of a request to the route that takes it.

#include <algorithm>

#include "http/validator.h"
#include "proxy/session.h"
#include "proxy/worker.h"
#include "routing/rule/method.h"
#include "routing/rule/path.h"
#include "routing/rule/redirect.h"

namespace weir::proxy {
namespace {

// Below this much room nothing is read from the client for the endpoint: chunk framing must fit beside the data.
constexpr size_t kLeastRoom = 256;

/// At a gateway, the edge: what a client says of the way it came, and Envoy's own words, are not believed (hardening
/// H38, istio-facts 9).
void remove_claims(http::HeaderList& headers) {
  const auto is_claim = [](const http::Header& header) {
    return header.id == http::HeaderId::kXForwardedProto || header.name.starts_with("x-envoy-");
  };
  for (;;) {
    const http::Header* claim = std::find_if(headers.begin(), headers.end(), is_claim);
    if (claim == headers.end()) return;
    headers.remove(claim->name);
  }
}

}  // namespace

/// Reads what can be handled now; the rest stays with the loop, and is there again when the session resumes reading.
size_t Session::read_request(std::string_view bytes) {
  size_t used = 0;
  while (state_ != State::kClosed && state_ != State::kTunnel) {
    std::string_view input = bytes.substr(used);
    if (state_ == State::kExchange) {
      if (exchange_.request == Exchange::Half::kComplete || !ready_for_body()) return used;
      if (!exchange_.discard_body) {
        const size_t room = endpoint_->stream().room();
        if (room < kLeastRoom) {
          endpoint_->stream().notify_when_drained();
          return used;
        }
        input = input.substr(0, room - endpoint_->codec().body_overhead());
      }
    } else if (state_ == State::kIdle && !input.empty()) {
      state_ = State::kHead;
      exchange_.started = worker_->loop().now();
      worker_->leave_idle(*this);
      if (!expecting_head_) worker_->loop().arm(watch_, worker_->options().timeouts.head);
    }
    const http::CodecStep step = codec_.read(input);
    used += step.consumed;
    switch (step.event) {
      case http::Event::kNeedMore:
        if (used == bytes.size()) return used;
        break;
      case http::Event::kHead:
        stream_id_ = step.stream;
        on_head();
        break;
      case http::Event::kBody:
        forward_body(step.body);
        break;
      case http::Event::kMessageComplete:
        if (state_ != State::kExchange) return used;
        exchange_.request = Exchange::Half::kComplete;
        end_request_body();
        break;
      case http::Event::kError:
        if (state_ == State::kExchange) drop_endpoint(true);
        refuse(http::fault_status(codec_.fault()), http::fault_text(codec_.fault()), kClientProtocol);
        return bytes.size();
    }
  }
  return state_ == State::kClosed ? bytes.size() : used;
}

bool Session::ready_for_body() {
  return exchange_.discard_body || (endpoint_ != nullptr && exchange_.head_sent && !pause_.armed());
}

void Session::on_head() {
  http::RequestHead& request = head();
  state_ = State::kExchange;
  worker_->stats().requests.add();
  worker_->loop().arm(watch_, worker_->options().timeouts.body_idle);
  watched_received_ = watched_endpoint_sent_ = watched_answered_ = 0;
  watched_client_sent_ = client_stream_.sent();
  exchange_.has_body = request.has_body();
  exchange_.idempotent = routing::is_idempotent(request.method_name);
  exchange_.request = Exchange::Half::kBody;
  // A request without a body is complete with its head, before anything is decided: answers of ours need not close.
  if (!exchange_.has_body && codec_.read({}).event == http::Event::kMessageComplete) {
    exchange_.request = Exchange::Half::kComplete;
  }
  if (refuse_early(request)) return;
  if (frontend_.gateway) remove_claims(request.headers);
  if (request.headers.find(http::HeaderId::kXRequestId) == nullptr) {
    request.headers.add("x-request-id", worker_->make_request_id());
  }
  routing::RequestView view;
  if (!make_view(request, view)) {
    answer({400, "the path holds an escaped NUL", kClientProtocol, "bad_path", {}});
    return;
  }
  find_route(view);
}

/// What no rule is asked about.
bool Session::refuse_early(const http::RequestHead& request) {
  if (request.method == http::Method::kOptions && request.max_forwards && *request.max_forwards == 0) {
    answer({200, "", 0, "max_forwards_reached", {}});
    return true;
  }
  if (loops(request)) {
    answer({508, "the request goes in circles", kLoop, "too_many_hops", {}});
    return true;
  }
  if (request.form == http::TargetForm::kAsterisk) {
    answer({404, "", kNoRoute, "asterisk_names_no_resource", {}});
    return true;
  }
  return false;
}

/// Our own name in Via, more often than a sane path has it (hardening N14).
bool Session::loops(const http::RequestHead& request) const {
  if (request.headers.find(http::HeaderId::kVia) == nullptr) return false;
  return http::count_via(request.headers, worker_->options().via) > worker_->options().max_hops;
}

/// What a client says of it is believed in the mesh only (istio-facts 9).
std::string_view Session::scheme(const http::RequestHead& request) const {
  if (frontend_.gateway) return "http";
  return routing::effective_scheme(request.headers.value(http::HeaderId::kXForwardedProto), false);
}

/// Views of the head, in the form the matchers take; they hold until the next call that uses the worker's scratch
/// lists.
bool Session::make_view(http::RequestHead& request, routing::RequestView& view) {
  const auto mode = worker_->routes().snapshot().table->mesh.path_normalization;
  const auto target = routing::normalise_target(request.path_and_query, mode, exchange_.normalised_buffer);
  if (!target) return false;
  exchange_.matched_target = exchange_.target = *target;
  auto& fields = worker_->field_scratch();
  fields.clear();
  for (const http::Header& header : request.headers) {
    if (header.id != http::HeaderId::kHost) fields.push_back({header.name, header.value});
  }
  view.method = request.method_name;
  view.scheme = scheme(request);
  view.authority = request.authority;
  view.headers = fields;
  view.set_target(exchange_.matched_target);
  return true;
}

void Session::find_route(const routing::RequestView& view) {
  if (routes_version_ != worker_->routes_version()) {
    client_class_ = worker_->routes().client_class(client_);
    routes_version_ = worker_->routes_version();
  }
  exchange_.list = worker_->routes().find(client_class_, frontend_port_, frontend_, view.authority);
  if (exchange_.list->kind == RouteList::Kind::kRefused) {
    answer({502, "", kNoRoute, "unknown_host", {}});
    return;
  }
  if (exchange_.list->kind == RouteList::Kind::kHttpsRedirect) {
    answer({301, "", 0, "https_redirect", routing::https_redirect_location(view_for_formats())});
    return;
  }
  const MatchedRoute matched = proxy::find_route(*exchange_.list, view);
  if (matched.route == nullptr) {
    answer({404, "", kNoRoute, "route_not_found", {}});
    return;
  }
  exchange_.route = matched.route;
  exchange_.uri = matched.uri;
  take_route(view);
}

/// In the order of Envoy's filters: CORS, fault, then the route.
void Session::take_route(const routing::RequestView& view) {
  const Route& route = *exchange_.route;
  if (route.cors) {
    exchange_.cors = route.cors->decide(view);
    if (exchange_.cors.verdict == routing::CorsPolicy::Verdict::kAnswer) {
      answer({200, "", 0, "cors_response", {}});
      return;
    }
  }
  if (route.fault.delay_parts_per_million != 0 && worker_->draw(route.fault.delay_parts_per_million)) {
    exchange_.flags |= kDelayInjected;
    worker_->loop().arm(pause_, route.fault.delay);
    return;
  }
  answer_route();
}

/// After a fault's delay, or before a retry.
void Session::on_pause_over() {
  if (exchange_.tries == 0) {
    answer_route();
  } else {
    start_try();
  }
}

void Session::answer_route() {
  const Route& route = *exchange_.route;
  if (route.fault.abort_parts_per_million != 0 && worker_->draw(route.fault.abort_parts_per_million)) {
    answer({route.fault.abort_status, "fault filter abort", kFaultInjected, "fault_filter_abort", {}});
  } else if (route.redirect != nullptr) {
    redirect(*route.redirect);
  } else if (route.direct_response != nullptr) {
    answer({route.direct_response->status, route.direct_response->body, 0, "direct_response", {}});
  } else if (!route.split) {
    answer({503, "", kNoCluster, "route_is_broken", {}});
  } else {
    choose_endpoint();
  }
}

void Session::redirect(const routing::Redirect& to) {
  const std::string location = routing::redirect_location(to, view_for_formats(), exchange_.uri, exchange_.list->port);
  answer({to.status, "", 0, "redirect", location});
}

/// The request as format strings and redirects see it, without its fields.
routing::RequestView Session::view_for_formats() const {
  auto& session = const_cast<Session&>(*this);  // the codec hands out its head for changing only
  const http::RequestHead& request = session.head();
  routing::RequestView view;
  view.method = request.method_name;
  view.scheme = scheme(request);
  view.authority = exchange_.authority.empty() ? request.authority : exchange_.authority;
  view.set_target(exchange_.target);
  return view;
}

}  // namespace weir::proxy
