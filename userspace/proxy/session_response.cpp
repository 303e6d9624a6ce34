// From the endpoint's bytes to the client.

#include <algorithm>

#include "proxy/body_output.h"
#include "proxy/mirror.h"
#include "proxy/session.h"
#include "proxy/worker.h"

namespace weir::proxy {
namespace {

// Below this much room nothing is read from the endpoint: a chunk's framing, or a head of ordinary size, must fit
// beside the data.
constexpr size_t kLeastRoom = 1024;

}  // namespace

size_t Session::on_endpoint_data(std::string_view bytes) {
  if (state_ == State::kTunnel) return tunnel(client_stream_, bytes);
  size_t used = 0;
  EndpointConnection* const connection = endpoint_;
  exchange_.endpoint_spoke = true;
  // Each step may end the exchange, or hand the connection to the next try: then the rest is not ours to read.
  while (endpoint_ == connection && state_ == State::kExchange) {
    const size_t room = client_stream_.room();
    if (room < kLeastRoom) {
      client_stream_.notify_when_drained();
      return used;
    }
    const std::string_view input = bytes.substr(used, room - codec_.body_overhead());
    const http::CodecStep step = connection->codec().read(input);
    used += step.consumed;
    switch (step.event) {
      case http::Event::kNeedMore:
        if (used == bytes.size()) return used;
        break;
      case http::Event::kHead:
        if (on_response_head()) break;
        // An endpoint may speak right behind its 101.
        return state_ == State::kTunnel ? used + tunnel(client_stream_, bytes.substr(used)) : bytes.size();
      case http::Event::kBody:
        forward_response_body(step.body);
        break;
      case http::Event::kMessageComplete:
        if (connection->codec().response().interim()) break;
        // Bytes behind the answer belong to nothing (hardening H35): the connection is not to be used again.
        if (used < bytes.size()) exchange_.single_use = true;
        end_response();
        return bytes.size();
      case http::Event::kError:
        fail_response();
        return bytes.size();
    }
  }
  return bytes.size();
}

/// False: the connection is not to be read from any further in this call.
bool Session::on_response_head() {
  http::ResponseHead& response = endpoint_->codec().response();
  if (response.interim()) {
    forward_interim(response);
    return true;
  }
  if (response.status == 101) {
    begin_tunnel(response);
    return false;
  }
  try_deadline_.cancel();
  exchange_.endpoint_duration = since(exchange_.started);
  const RetryRules& rules = exchange_.route->retries;
  note_answer(response);
  if (rules.attempts() > 0 && rules.takes(response) && can_send_again(Failure::kReset)) {
    if (exchange_.retries >= rules.attempts()) {
      exchange_.flags |= kRetriesUsedUp;
    } else if (begin_retry()) {
      drop_endpoint(true);
      return false;
    }
  }
  apply_response_headers(response, exchange_.destination->response_headers);
  return write_response_head(response);
}

void Session::note_answer(const http::ResponseHead& response) {
  if (!exchange_.endpoint_index) return;
  EndpointStats& stats = exchange_.destination->endpoint_stats[*exchange_.endpoint_index]->of_loop(worker_->number());
  stats.status_classes[std::min(response.status / 100, 5)].add();
  if (response.status < 500) {
    report(TryResult::kSuccess);
  } else {
    const bool gateway = response.status >= 502 && response.status <= 504;
    report(gateway ? TryResult::kGatewayError : TryResult::kServerError);
  }
}

void Session::forward_interim(const http::ResponseHead& response) {
  if (head().version == http::Version::kHttp10) return;  // knows none (RFC 9110 section 15.2)
  const http::ServerCodec::ResponseOptions options{.via = worker_->options().via, .close = false};
  std::span<char> out = worker_->scratch(codec_.head_bound(response, options));
  const http::Written written = codec_.write_head(stream_id_, response, options, out);
  if (written) client_stream_.write_whole({out.data(), written.size});
}

bool Session::write_response_head(const http::ResponseHead& response) {
  http::ServerCodec::ResponseOptions options;
  // What we answer ourselves has not come through us.
  if (endpoint_ != nullptr) options.via = worker_->options().via;
  options.close = exchange_.request != Exchange::Half::kComplete || worker_->draining();
  std::span<char> out = worker_->scratch(codec_.head_bound(response, options));
  const http::Written written = codec_.write_head(stream_id_, response, options, out);
  if (!written) {
    if (endpoint_ != nullptr) {
      fail_response();
    } else {
      abort_exchange();
    }
    return false;
  }
  exchange_.status = response.status;
  exchange_.response = Exchange::Half::kBody;
  client_stream_.write_whole({out.data(), written.size});
  return true;
}

void Session::forward_response_body(std::string_view body) {
  const http::BodyFrame frame = codec_.frame_body(stream_id_, body.size());
  if (!frame) {
    fail_response();
    return;
  }
  exchange_.bytes_sent += body.size();
  write_framed(client_stream_, frame, body);
}

void Session::end_response() {
  std::span<char> out = worker_->scratch(codec_.body_overhead());
  const http::Written written = codec_.write_end(stream_id_, out);
  if (!written) {
    fail_response();
    return;
  }
  client_stream_.write_whole({out.data(), written.size});
  exchange_.response = Exchange::Half::kComplete;
  maybe_finish();
}

/// The endpoint's answer is cut off, or not HTTP. What the client has of it must not look whole.
void Session::fail_response() {
  if ((exchange_.flags & kTimeout) == 0) {
    const http::Fault fault = endpoint_ == nullptr ? http::Fault::kTruncated : endpoint_->codec().fault();
    exchange_.flags |= fault == http::Fault::kTruncated ? kEndpointClosed : kEndpointProtocol;
  }
  try_deadline_.cancel();
  drop_endpoint(true);
  if (exchange_.response == Exchange::Half::kHead) {
    answer({502, "the endpoint's answer is no valid HTTP", kEndpointProtocol, "endpoint_protocol_error", {}});
    return;
  }
  const bool until_close = head().version == http::Version::kHttp10;
  if (until_close) {
    client_stream_.reset();  // a FIN would end the body as if it were whole
  } else {
    client_stream_.finish();
  }
  abort_exchange();
}

// ---------------------------------------------------------------- the endpoint's other events

void Session::on_endpoint_drained() {
  client_stream_.resume_read();
}

void Session::on_endpoint_eof() {
  if (state_ == State::kTunnel) {
    endpoint_ended_ = true;
    client_stream_.shutdown_write();
    if (client_ended_) end_tunnel();
    return;
  }
  if (exchange_.response == Exchange::Half::kHead) {
    fail_try(Failure::kReset, 0, endpoint_->reused());
  } else if (endpoint_->codec().read_end().event == http::Event::kMessageComplete) {
    end_response();
  } else {
    fail_response();
  }
}

void Session::on_endpoint_write_failed() {
  if (state_ == State::kTunnel) return;  // its end is about to be read
  // It may have answered before it stopped reading: that answer counts (hardening H34).
  exchange_.discard_body = true;
  replay_.clear();
  client_stream_.resume_read();
}

void Session::on_endpoint_error(int error_number) {
  const bool reused = endpoint_->reused();
  endpoint_ = nullptr;
  if (state_ == State::kTunnel) {
    fail_tunnel();
  } else if (exchange_.response != Exchange::Half::kHead) {
    fail_response();
  } else {
    fail_try(exchange_.head_sent ? Failure::kReset : Failure::kConnect, error_number, reused);
  }
}

}  // namespace weir::proxy
