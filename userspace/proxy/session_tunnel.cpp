// Connections that are no HTTP/1.1, or no more: bytes go through as they are.

#include "proxy/client_hello.h"
#include "proxy/session.h"
#include "proxy/sniff.h"
#include "proxy/worker.h"

namespace weir::proxy {

// ---------------------------------------------------------------- what does the client speak?

/// What has come so far is in replay_; it never holds a whole line, so the parser takes all of it at once.
size_t Session::sniff_more(std::string_view bytes) {
  if (frontend_.speech == Speech::kTls) return sniff_tls(bytes);
  std::string all;
  if (!replay_.empty()) all.append(replay_.front()).append(bytes);
  switch (sniff(replay_.empty() ? bytes : std::string_view(all))) {
    case Sniffed::kMore:
      replay_.append(bytes);
      return bytes.size();
    case Sniffed::kHttp1:
      begin_http();
      return state_ == State::kClosed ? bytes.size() : read_request(bytes);
    case Sniffed::kHttp2:
      begin_raw_tunnel(true);
      break;
    case Sniffed::kOther:
      begin_raw_tunnel(false);
      break;
  }
  return state_ == State::kTunnel ? tunnel(endpoint_->stream(), bytes) : bytes.size();
}

/// The name that a TLS client asks for tells where it goes; what it has sent goes there whole.
size_t Session::sniff_tls(std::string_view bytes) {
  std::string all;
  while (!replay_.empty()) {
    all += replay_.front();
    replay_.consume(replay_.front().size());
  }
  all += bytes;
  const ClientHello hello = read_client_hello(all);
  replay_.append(all);
  if (hello.state == ClientHello::State::kMore) return bytes.size();
  begin_raw_tunnel(false, hello.server_name);
  return bytes.size();
}

/// A silent client waits for the server's first word, one that has sent half a line for an answer to it.
void Session::on_sniff_timeout() {
  if (frontend_.speech == Speech::kHttp2 || frontend_.speech == Speech::kTls) {  // here clients speak first
    worker_->stats().head_timeouts.add();
    client_stream_.finish();
    close();
  } else if (!replay_.empty() && begins_like_http(replay_.front())) {
    begin_http();
  } else {
    begin_raw_tunnel(false);
  }
}

/// What the client has said is all that will come: a few words of a protocol that is not HTTP are carried all the same.
void Session::on_sniff_end() {
  if (frontend_.speech != Speech::kAuto || replay_.empty() || begins_like_http(replay_.front())) {
    close();
    return;
  }
  begin_raw_tunnel(false);
  if (state_ == State::kTunnel) endpoint_->stream().shutdown_write();
}

void Session::begin_http() {
  state_ = State::kIdle;
  worker_->loop().arm(watch_, worker_->options().timeouts.head);
  if (replay_.empty()) return;
  const std::string begun(replay_.front());
  replay_.clear();
  read_request(begun);
}

// ---------------------------------------------------------------- tunnels

void Session::begin_raw_tunnel(bool http2, std::string_view sni) {
  worker_->leave_idle(*this);
  watch_.cancel();
  exchange_.started = worker_->loop().now();
  RouteCache& routes = worker_->routes();
  exchange_.list = routes.find_tunnel(routes.client_class(client_), frontend_port_, frontend_, http2, sni);
  exchange_.route = find_tunnel_route(*exchange_.list, frontend_.address.address, client_);
  state_ = State::kTunnel;
  if (exchange_.route == nullptr || !exchange_.route->split) {
    exchange_.flags |= kNoRoute;
    fail_tunnel();
    return;
  }
  if (!connect_tunnel()) {
    fail_tunnel();
    return;
  }
  while (!replay_.empty()) {
    const std::string_view piece = replay_.front();
    endpoint_->stream().write_whole(piece);
    exchange_.bytes_received += piece.size();
    replay_.consume(piece.size());
  }
  arm_tunnel_watch();
}

/// False: there is nobody, or nobody may take it.
bool Session::connect_tunnel() {
  const Route& route = *exchange_.route;
  const auto sticky = key_of(route.sticky, head(), client_text_);
  exchange_.turn = sticky ? route.split->pick(*sticky) : route.split->pick();
  exchange_.destination = &route.destinations[exchange_.turn.destination];
  const Destination& destination = *exchange_.destination;
  exchange_.single_use = true;
  if (!destination.exists) {
    exchange_.flags |= kNoCluster;
    return false;
  }
  exchange_.balancing_key = key_of(destination.balancer.key_source(), head(), client_text_);
  if (!pick_endpoint()) {
    exchange_.flags |= kNoHealthyEndpoint;
    return false;
  }
  const EndpointKey key{destination.key, exchange_.endpoint};
  if (destination.limits.max_connections != PoolLimits::kNone &&
      destination.state->connections.load(std::memory_order_relaxed) >= destination.limits.max_connections) {
    exchange_.flags |= kOverflow;
    return false;
  }
  ++exchange_.tries;
  auto connection = worker_->pool().connect(key, *this, destination.limits, destination.state);
  if (!connection) {
    exchange_.flags |= kConnectFailure;
    return false;
  }
  endpoint_ = *connection;
  if (exchange_.endpoint_index) {
    destination.endpoint_stats[*exchange_.endpoint_index]->of_loop(worker_->number()).connections.add();
  }
  return true;
}

/// After 101.
void Session::begin_tunnel(http::ResponseHead& response) {
  try_deadline_.cancel();
  deadline_.cancel();
  exchange_.endpoint_duration = since(exchange_.started);
  note_answer(response);
  const std::string protocol(response.headers.value(http::HeaderId::kUpgrade));
  apply_response_headers(response, exchange_.destination->response_headers);
  response.headers.set("upgrade", protocol);  // no operation of a rule's: without it this is no 101
  if (!write_response_head(response)) return;
  exchange_.response = Exchange::Half::kComplete;
  state_ = State::kTunnel;
  arm_tunnel_watch();
  client_stream_.resume_read();  // what the client sent on was held until now (hardening H27)
  if (client_ended_) endpoint_->stream().shutdown_write();
}

void Session::arm_tunnel_watch() {
  const Duration own = exchange_.destination->limits.tunnel_idle_timeout;
  worker_->loop().arm(watch_, own != Duration::zero() ? own : worker_->options().timeouts.tunnel_idle);
}

void Session::watch_tunnel() {
  if (tunnelled_ == std::exchange(watched_tunnelled_, tunnelled_)) {
    exchange_.flags |= kIdleTimeout;
    abort_exchange();
    return;
  }
  arm_tunnel_watch();
}

/// The endpoint is not there, or has gone without a word: so has the service, for the client.
void Session::fail_tunnel() {
  if (exchange_.endpoint_index && exchange_.bytes_sent == 0 && exchange_.list->kind == RouteList::Kind::kTunnel) {
    exchange_.flags |= kConnectFailure;
    report(TryResult::kLocalFailure);
    exchange_.destination->endpoint_stats[*exchange_.endpoint_index]->of_loop(worker_->number()).connect_failures.add();
  }
  client_stream_.reset();
  abort_exchange();
}

/// Both sides have said all. What is queued still goes out.
void Session::end_tunnel() {
  endpoint_->stream().finish();
  client_stream_.finish();
  abort_exchange();
}

size_t Session::tunnel(const net::Stream& to, std::string_view bytes) {
  const size_t taken = to.write(bytes);
  tunnelled_ += taken;
  (&to == &client_stream_ ? exchange_.bytes_sent : exchange_.bytes_received) += taken;
  return taken;
}

}  // namespace weir::proxy
