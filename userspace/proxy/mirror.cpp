#include "proxy/mirror.h"

#include "proxy/body_output.h"
#include "proxy/session.h"
#include "proxy/worker.h"

namespace weir::proxy {

Mirror::Mirror(Worker& worker, Session& session)
    : worker_(&worker), session_(&session), timer_(&net::Timer::call<&Mirror::end, Mirror>, this) {}

bool Mirror::begin(const MirrorTarget& target, const net::SocketAddress& dialled, const http::RequestHead& head,
                   const http::RequestWriteOptions& options) {
  const Destination& to = target.destination;
  EndpointKey key{to.key, dialled};
  if (!to.to_dialled) {
    const pick::Turn turn = target.split->pick();
    const auto endpoint = to.balancer.choose(*to.state, {.split = *target.split,
                                                         .turn = turn,
                                                         .key = std::nullopt,
                                                         .random = worker_->random(),
                                                         .now = worker_->loop().now(),
                                                         .tried = {}});
    if (!endpoint) return false;
    key.address = target.split->endpoints(turn.destination)[*endpoint].address;
  }
  endpoint_ = worker_->pool().take_idle(key, *this);
  if (endpoint_ == nullptr) {
    if (worker_->pool().full(key, to.limits, *to.state)) return false;
    auto connection = worker_->pool().connect(key, *this, to.limits, to.state);
    if (!connection) return false;
    endpoint_ = *connection;
  }
  std::span<char> out = worker_->scratch(endpoint_->codec().head_bound(head, options));
  const http::Written written = endpoint_->codec().write_head(head, options, out);
  if (!written) return false;
  endpoint_->stream().write_whole({out.data(), written.size});
  worker_->loop().arm(timer_, worker_->options().timeouts.mirror);
  return true;
}

void Mirror::write_body(std::string_view body) {
  if (over_) return;
  if (body.size() + endpoint_->codec().body_overhead() > endpoint_->stream().room()) {
    end();
    return;
  }
  const http::BodyFrame frame = endpoint_->codec().frame_body(body.size());
  if (!frame) {
    end();
    return;
  }
  write_framed(endpoint_->stream(), frame, body);
}

void Mirror::end_body() {
  if (over_) return;
  std::span<char> out = worker_->scratch(endpoint_->codec().body_overhead());
  const http::Written written = endpoint_->codec().write_end(out);
  if (written) {
    endpoint_->stream().write_whole({out.data(), written.size});
  } else {
    end();
  }
}

void Mirror::finish(bool whole) {
  session_ = nullptr;
  if (!whole) end();
}

size_t Mirror::on_endpoint_data(std::string_view bytes) {
  size_t used = 0;
  while (!over_) {
    const http::CodecStep step = endpoint_->codec().read(bytes.substr(used));
    used += step.consumed;
    if (step.event == http::Event::kError) {
      end();
    } else if (step.event == http::Event::kMessageComplete && !endpoint_->codec().response().interim()) {
      // next() is false while the request has not been written to its end.
      if (used == bytes.size() && endpoint_->stream().unsent() == 0 && endpoint_->codec().next()) {
        worker_->pool().give_back(*std::exchange(endpoint_, nullptr));
      }
      end();
    } else if (step.event == http::Event::kNeedMore && used == bytes.size()) {
      break;
    }
  }
  return bytes.size();
}

void Mirror::on_endpoint_eof() {
  end();
}
void Mirror::on_endpoint_write_failed() {
  end();
}

void Mirror::on_endpoint_error(int) {
  endpoint_ = nullptr;
  end();
}

void Mirror::end() {
  if (over_) return;
  over_ = true;
  timer_.cancel();
  if (endpoint_ != nullptr) worker_->pool().discard(*std::exchange(endpoint_, nullptr), true);
  if (session_ != nullptr) session_->forget_mirror(*this);
  worker_->bury(*this);
}

}  // namespace weir::proxy
