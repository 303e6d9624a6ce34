#include "proxy/endpoint_pool.h"

#include <algorithm>
#include <cerrno>

#include "base/hash.h"

namespace weir::proxy {
namespace {

bool must_wait(const EndpointPlace& place) {
  return !place.waiting.empty() && !place.serving;
}

bool no_room(const EndpointPlace& place, uint32_t max_connections, const DestinationState& state) {
  return place.open > 0 && max_connections != PoolLimits::kNone &&
         state.connections.load(std::memory_order_relaxed) >= max_connections;
}

/// For the first of those who wait.
bool has_something(const EndpointPlace& place) {
  const EndpointPlace::Waiter& first = place.waiting.front();
  return !place.idle.empty() || !no_room(place, first.max_connections, *first.state);
}

}  // namespace

// ---------------------------------------------------------------- connection

EndpointConnection::EndpointConnection(EndpointPool& pool, EndpointPlace& place, const http::Limits& limits)
    : pool_(&pool),
      place_(&place),
      codec_(limits),
      timer_(&net::Timer::call<&EndpointConnection::on_timer, EndpointConnection>, this) {}

const EndpointKey& EndpointConnection::key() const {
  return place_->key;
}

bool EndpointConnection::used_up(net::TimePoint now) const {
  const uint32_t most = limits_.max_requests_a_connection;
  return (most != 0 && requests_ >= most) ||
         (limits_.max_connection_age != Duration::zero() && now - made_ >= limits_.max_connection_age);
}

void EndpointConnection::on_connected() {
  timer_.cancel();
  status_ = State::kBusy;
  user_->on_endpoint_connected();
}

size_t EndpointConnection::on_data(std::string_view bytes) {
  if (status_ == State::kBusy) return user_->on_endpoint_data(bytes);
  // An answer to nothing: never to be taken for the answer to the next request (hardening H35).
  pool_->discard(*this);
  return bytes.size();
}

void EndpointConnection::on_drained() {
  if (status_ == State::kBusy) user_->on_endpoint_drained();
}

void EndpointConnection::on_eof() {
  if (status_ == State::kBusy) {
    user_->on_endpoint_eof();
  } else {
    pool_->discard(*this);
  }
}

void EndpointConnection::on_write_failed(int) {
  if (status_ == State::kBusy) {
    user_->on_endpoint_write_failed();
  } else {
    pool_->discard(*this);
  }
}

void EndpointConnection::on_error(int error_number) {
  EndpointUser* user = status_ == State::kIdle ? nullptr : user_;
  pool_->discard(*this);
  if (user != nullptr) user->on_endpoint_error(error_number);
}

void EndpointConnection::on_timer() {
  if (status_ == State::kConnecting) {
    on_error(ETIMEDOUT);
  } else if (!settled_) {
    settled_ = true;
    codec_.release_memory();
    pool_->loop_->arm(timer_, pool_->idle_timeout(*this) - EndpointPool::kSettle);
  } else {
    pool_->discard(*this);
  }
}

// ---------------------------------------------------------------- pool

EndpointPool::EndpointPool(net::Loop& loop, const Options& options)
    : loop_(&loop),
      options_(&options),
      grave_timer_(&net::Timer::call<&EndpointPool::clear_graves, EndpointPool>, this),
      wake_timer_(&net::Timer::call<&EndpointPool::wake, EndpointPool>, this) {}

EndpointPool::~EndpointPool() {
  for (const auto& [connection, owner] : open_) {
    connection->stream_.close();
    if (connection->state_) connection->state_->connections.fetch_sub(1, std::memory_order_relaxed);
  }
}

size_t EndpointPool::Hash::operator()(const EndpointKey& key) const {
  const auto& bytes = key.address.address.bytes();
  return hash64({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, key.destination ^ key.address.port);
}

EndpointPlace& EndpointPool::place_of(const EndpointKey& key) {
  const auto [entry, added] = places_.try_emplace(key);
  if (added) entry->second.key = key;
  return entry->second;
}

Duration EndpointPool::idle_timeout(const EndpointConnection& connection) const {
  const Duration own = connection.limits_.idle_timeout;
  return own != Duration::zero() ? own : options_->timeouts.endpoint_keep_alive;
}

EndpointConnection* EndpointPool::take_idle(const EndpointKey& key, EndpointUser& user) {
  const auto found = places_.find(key);
  if (found == places_.end() || found->second.idle.empty() || must_wait(found->second)) return nullptr;
  EndpointConnection* connection = found->second.idle.back();
  found->second.idle.pop_back();
  --idle_count_;
  connection->timer_.cancel();
  connection->status_ = EndpointConnection::State::kBusy;
  connection->user_ = &user;
  ++connection->requests_;
  return connection;
}

Result<EndpointConnection*> EndpointPool::connect(const EndpointKey& key, EndpointUser& user, const PoolLimits& limits,
                                                  const DestinationStatePtr& state) {
  EndpointPlace& place = place_of(key);
  auto owner = std::make_unique<EndpointConnection>(*this, place, options_->http);
  EndpointConnection* connection = owner.get();
  connection->user_ = &user;
  connection->limits_ = limits;
  connection->made_ = loop_->now();
  auto stream = loop_->connect(key.address, *connection);
  if (!stream) return std::move(stream).error();
  connection->stream_ = *stream;
  if (limits.keepalive) net::set_keepalive(stream->fd(), *limits.keepalive);
  connection->state_ = state;
  if (state) state->connections.fetch_add(1, std::memory_order_relaxed);
  ++place.open;
  const Duration timeout = limits.connect_timeout;
  loop_->arm(connection->timer_, timeout != Duration::zero() ? timeout : options_->timeouts.connect);
  open_.emplace(connection, std::move(owner));
  return connection;
}

bool EndpointPool::full(const EndpointKey& key, const PoolLimits& limits, const DestinationState& state) const {
  const auto found = places_.find(key);
  if (found == places_.end()) return false;
  return must_wait(found->second) || no_room(found->second, limits.max_connections, state);
}

void EndpointPool::give_back(EndpointConnection& connection) {
  EndpointPlace& place = *connection.place_;
  if (!connection.stream_.alive() || place.idle.size() >= options_->max_idle_per_endpoint ||
      connection.used_up(loop_->now())) {
    discard(connection);
    return;
  }
  connection.user_ = nullptr;
  connection.status_ = EndpointConnection::State::kIdle;
  place.idle.push_back(&connection);
  ++idle_count_;
  const Duration timeout = idle_timeout(connection);
  connection.settled_ = timeout <= kSettle;
  loop_->arm(connection.timer_, connection.settled_ ? timeout : kSettle);
  connection.stream_.resume_read();  // so that its end is seen
  call_waiting(place);
}

void EndpointPool::discard(EndpointConnection& connection, bool reset) {
  if (connection.status_ == EndpointConnection::State::kGone) return;
  if (connection.status_ == EndpointConnection::State::kIdle) forget_idle(connection);
  connection.status_ = EndpointConnection::State::kGone;
  connection.user_ = nullptr;
  connection.timer_.cancel();
  if (reset) {
    connection.stream_.reset();
  } else {
    connection.stream_.close();
  }
  if (connection.state_) connection.state_->connections.fetch_sub(1, std::memory_order_relaxed);
  EndpointPlace& place = *connection.place_;
  --place.open;
  call_waiting(place);
  bury(connection);
}

void EndpointPool::forget_idle(EndpointConnection& connection) {
  std::erase(connection.place_->idle, &connection);
  --idle_count_;
}

/// The connection's place goes with its last connection; the key is all that the grave needs, so it stays until then.
void EndpointPool::bury(EndpointConnection& connection) {
  const auto owner = open_.find(&connection);
  graves_.push_back(std::move(owner->second));
  open_.erase(owner);
  if (!grave_timer_.armed()) loop_->arm(grave_timer_, Duration::zero());
}

void EndpointPool::clear_graves() {
  for (const auto& connection : graves_) {
    const auto found = places_.find(connection->key());
    if (found != places_.end() && &found->second == connection->place_ && found->second.open == 0 &&
        found->second.waiting.empty()) {
      emptied_.push_back(found->first);
    }
  }
  graves_.clear();
  for (const EndpointKey& key : emptied_) places_.erase(key);
  emptied_.clear();
}

void EndpointPool::wait(const EndpointKey& key, EndpointUser& user, const PoolLimits& limits,
                        const DestinationStatePtr& state) {
  EndpointPlace& place = place_of(key);
  const auto at = place.serving ? place.waiting.begin() : place.waiting.end();
  place.waiting.insert(at, {&user, limits.max_connections, state});
}

void EndpointPool::stop_waiting(const EndpointKey& key, EndpointUser& user) {
  const auto found = places_.find(key);
  if (found == places_.end()) return;
  std::erase_if(found->second.waiting, [&](const EndpointPlace::Waiter& waiter) { return waiter.user == &user; });
}

/// In a turn of its own: whoever gives a connection back is in the middle of something.
void EndpointPool::call_waiting(EndpointPlace& place) {
  if (place.waiting.empty()) return;
  called_.push_back(place.key);
  if (!wake_timer_.armed()) loop_->arm(wake_timer_, Duration::zero());
}

void EndpointPool::wake() {
  const std::vector<EndpointKey> called = std::move(called_);
  called_.clear();
  for (const EndpointKey& key : called) {
    const auto found = places_.find(key);
    if (found != places_.end()) serve(found->second);
  }
}

/// As many as there is something for, each once: who makes no use of it leaves it to the next.
void EndpointPool::serve(EndpointPlace& place) {
  for (size_t left = place.waiting.size(); left > 0 && !place.waiting.empty() && has_something(place); --left) {
    EndpointUser* first = place.waiting.front().user;
    place.waiting.pop_front();
    place.serving = true;
    first->on_endpoint_free();
    place.serving = false;
  }
  if (!place.waiting.empty() && has_something(place)) call_waiting(place);
}

void EndpointPool::close_idle() {
  std::vector<EndpointConnection*> all;
  for (const auto& [key, place] : places_) all.insert(all.end(), place.idle.begin(), place.idle.end());
  for (EndpointConnection* connection : all) discard(*connection);
}

}  // namespace weir::proxy
