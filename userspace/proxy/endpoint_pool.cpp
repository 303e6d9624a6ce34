#include "proxy/endpoint_pool.h"

#include <algorithm>
#include <cerrno>

#include "base/hash.h"

namespace weir::proxy {

// ---------------------------------------------------------------- connection

EndpointConnection::EndpointConnection(EndpointPool& pool, const EndpointKey& key, const http::Limits& limits)
    : pool_(&pool),
      key_(key),
      codec_(limits),
      timer_(&net::Timer::call<&EndpointConnection::on_timer, EndpointConnection>, this) {}

void EndpointConnection::on_connected() {
  timer_.cancel();
  state_ = State::kBusy;
  user_->on_endpoint_connected();
}

size_t EndpointConnection::on_data(std::string_view bytes) {
  if (state_ == State::kBusy) return user_->on_endpoint_data(bytes);
  // An answer to nothing: never to be taken for the answer to the next request (hardening H35).
  pool_->discard(*this);
  return bytes.size();
}

void EndpointConnection::on_drained() {
  if (state_ == State::kBusy) user_->on_endpoint_drained();
}

void EndpointConnection::on_eof() {
  if (state_ == State::kBusy) {
    user_->on_endpoint_eof();
  } else {
    pool_->discard(*this);
  }
}

void EndpointConnection::on_write_failed(int) {
  if (state_ == State::kBusy) {
    user_->on_endpoint_write_failed();
  } else {
    pool_->discard(*this);
  }
}

void EndpointConnection::on_error(int error_number) {
  EndpointUser* user = state_ == State::kIdle ? nullptr : user_;
  pool_->discard(*this);
  if (user != nullptr) user->on_endpoint_error(error_number);
}

void EndpointConnection::on_timer() {
  if (state_ == State::kConnecting) {
    on_error(ETIMEDOUT);
  } else {
    pool_->discard(*this);
  }
}

// ---------------------------------------------------------------- pool

EndpointPool::EndpointPool(net::Loop& loop, const Options& options)
    : loop_(&loop),
      options_(&options),
      grave_timer_(&net::Timer::call<&EndpointPool::clear_graves, EndpointPool>, this) {}

EndpointPool::~EndpointPool() {
  for (const auto& [connection, owner] : open_) connection->stream_.close();
}

size_t EndpointPool::Hash::operator()(const EndpointKey& key) const {
  const auto& bytes = key.address.address.bytes();
  return hash64({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, key.service ^ key.address.port);
}

EndpointConnection* EndpointPool::take_idle(const EndpointKey& key, EndpointUser& user) {
  const auto found = idle_.find(key);
  if (found == idle_.end() || found->second.empty()) return nullptr;
  EndpointConnection* connection = found->second.back();
  found->second.pop_back();
  --idle_count_;
  connection->timer_.cancel();
  connection->state_ = EndpointConnection::State::kBusy;
  connection->user_ = &user;
  ++connection->requests_;
  return connection;
}

Result<EndpointConnection*> EndpointPool::connect(const EndpointKey& key, EndpointUser& user, Duration timeout) {
  auto owner = std::make_unique<EndpointConnection>(*this, key, options_->http);
  EndpointConnection* connection = owner.get();
  connection->user_ = &user;
  auto stream = loop_->connect(key.address, *connection);
  if (!stream) return std::move(stream).error();
  connection->stream_ = *stream;
  loop_->arm(connection->timer_, timeout);
  open_.emplace(connection, std::move(owner));
  return connection;
}

void EndpointPool::give_back(EndpointConnection& connection) {
  auto& idle = idle_[connection.key_];
  if (!connection.stream_.alive() || idle.size() >= options_->max_idle_per_endpoint) {
    discard(connection);
    return;
  }
  connection.user_ = nullptr;
  connection.state_ = EndpointConnection::State::kIdle;
  idle.push_back(&connection);
  ++idle_count_;
  loop_->arm(connection.timer_, options_->timeouts.endpoint_keep_alive);
  connection.stream_.resume_read();  // so that its end is seen
}

void EndpointPool::discard(EndpointConnection& connection, bool reset) {
  if (connection.state_ == EndpointConnection::State::kGone) return;
  if (connection.state_ == EndpointConnection::State::kIdle) forget_idle(connection);
  connection.state_ = EndpointConnection::State::kGone;
  connection.user_ = nullptr;
  connection.timer_.cancel();
  if (reset) {
    connection.stream_.reset();
  } else {
    connection.stream_.close();
  }
  bury(connection);
}

void EndpointPool::forget_idle(EndpointConnection& connection) {
  const auto found = idle_.find(connection.key_);
  std::erase(found->second, &connection);
  if (found->second.empty()) idle_.erase(found);
  --idle_count_;
}

void EndpointPool::bury(EndpointConnection& connection) {
  const auto owner = open_.find(&connection);
  graves_.push_back(std::move(owner->second));
  open_.erase(owner);
  if (!grave_timer_.armed()) loop_->arm(grave_timer_, Duration::zero());
}

void EndpointPool::close_idle() {
  while (!idle_.empty()) {
    if (idle_.begin()->second.empty()) {
      idle_.erase(idle_.begin());
    } else {
      discard(*idle_.begin()->second.back());
    }
  }
}

}  // namespace weir::proxy
