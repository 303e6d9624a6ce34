#include "proxy/worker.h"

#include <sys/random.h>
#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <ctime>

#include "proxy/mirror.h"
#include "proxy/session.h"

namespace weir::proxy {
namespace {

// Descriptors kept for files, timers, the agent and the like.
constexpr rlim_t kReservedDescriptors = 256;
constexpr Duration kLogDelay = std::chrono::milliseconds(5);
constexpr Duration kLogRetry = std::chrono::milliseconds(100);

/// A connection of a client may need one to an endpoint.
size_t connections_by_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1 << 20;
  const rlim_t usable =
      limit.rlim_cur > 2 * kReservedDescriptors ? limit.rlim_cur - kReservedDescriptors : limit.rlim_cur / 2;
  return std::max<size_t>(usable / 2, 1);
}

}  // namespace

Worker::Worker(net::Loop& loop, Options options, std::shared_ptr<const Snapshot> snapshot, Setup setup)
    : loop_(&loop),
      options_(std::move(options)),
      setup_(setup),
      max_connections_(options_.max_connections != 0
                           ? options_.max_connections
                           : connections_by_descriptors() / std::max<size_t>(snapshot->shared->stats.loops(), 1)),
      routes_(std::make_unique<RouteCache>(std::move(snapshot))),
      pool_(loop, options_),
      log_(options_.access_log, setup.log_fd),
      grave_timer_(&net::Timer::call<&Worker::clear_graves, Worker>, this),
      log_timer_(&net::Timer::call<&Worker::flush_log, Worker>, this),
      drain_timer_(&net::Timer::call<&Worker::end_drain, Worker>, this),
      turn_timer_(&net::Timer::call<&Worker::note_turn, Worker>, this) {
  if (::getrandom(random_state_.data(), sizeof random_state_, 0) != sizeof random_state_) random_state_ = {1, 2, 3, 4};
  note_turn();
}

void Worker::note_turn() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  turned_at_.store(static_cast<uint64_t>(now.count()), std::memory_order_relaxed);
  loop_->arm(turn_timer_, kTurnPeriod);
}

Worker::~Worker() {
  for (const uint32_t listener : listeners_) loop_->remove_listener(listener);
  while (!sessions_.empty()) sessions_.begin()->second->close();
  while (!mirrors_.empty()) mirrors_.begin()->second->finish(false);
  log_.flush();
}

void Worker::add_listener(FileDescriptor fd) {
  listeners_.push_back(loop_->add_listener(std::move(fd), *this));
}

void Worker::set_snapshot(std::shared_ptr<const Snapshot> snapshot) {
  routes_ = std::make_unique<RouteCache>(std::move(snapshot));
  ++routes_version_;
}

// ---------------------------------------------------------------- connections

void Worker::on_accept(FileDescriptor fd) {
  stats_.connections.add();
  const auto local = net::local_address(fd.get());
  const auto peer = net::peer_address(fd.get());
  if (!local || !peer) return;  // gone already
  const auto& frontends = routes_->snapshot().frontends;
  const auto frontend = frontends.find(local->port);
  if (frontend == frontends.end()) {
    // Dialled without a redirect, or a frontend that is no more: there is nowhere to forward to (hardening N15).
    stats_.refused_no_frontend.add();
    net::set_reset_on_close(fd.get());
    return;
  }
  const auto known = connections_of_.find(peer->address);
  const uint32_t of_client = known == connections_of_.end() ? 0 : known->second;
  if (options_.max_connections_per_client != 0 && of_client >= options_.max_connections_per_client) {
    stats_.refused_per_client.add();
    net::set_reset_on_close(fd.get());
    return;
  }
  if (sessions_.size() >= max_connections_ && !make_room()) {
    net::set_reset_on_close(fd.get());
    return;
  }
  ++connections_of_[peer->address];  // looked up again: who made room may have been this client's only one
  stats_.connections_open.add();
  net::set_no_delay(fd.get());
  auto session = std::make_unique<Session>(*this, local->port, frontend->second, peer->address);
  Session* started = session.get();
  sessions_.emplace(started, std::move(session));
  started->start(std::move(fd));
  update_listeners();
}

void Worker::on_accept_exhausted(int) {
  stats_.accept_exhausted.add();
  pool_.close_idle();
  make_room();
}

/// Whoever has been idle for longest goes (hardening N12).
bool Worker::make_room() {
  if (idle_first_ == nullptr) return false;
  stats_.closed_for_room.add();
  idle_first_->close();
  return true;
}

/// With every place taken by a busy session, further clients wait in the backlog.
void Worker::update_listeners() {
  const bool pause = sessions_.size() >= max_connections_ && idle_first_ == nullptr;
  if (pause == listeners_paused_ || draining_) return;
  listeners_paused_ = pause;
  for (const uint32_t listener : listeners_) {
    if (pause) {
      loop_->pause_listener(listener);
    } else {
      loop_->resume_listener(listener);
    }
  }
}

void Worker::enter_idle(Session& session) {
  if (session.in_idle_list_) return;
  session.in_idle_list_ = true;
  session.idle_previous_ = idle_last_;
  session.idle_next_ = nullptr;
  (idle_last_ == nullptr ? idle_first_ : idle_last_->idle_next_) = &session;
  idle_last_ = &session;
  if (listeners_paused_) update_listeners();
}

void Worker::leave_idle(Session& session) {
  if (!session.in_idle_list_) return;
  session.in_idle_list_ = false;
  (session.idle_previous_ == nullptr ? idle_first_ : session.idle_previous_->idle_next_) = session.idle_next_;
  (session.idle_next_ == nullptr ? idle_last_ : session.idle_next_->idle_previous_) = session.idle_previous_;
  if (sessions_.size() >= max_connections_) update_listeners();
}

void Worker::bury(Session& session) {
  const auto of_client = connections_of_.find(session.client());
  if (of_client != connections_of_.end() && --of_client->second == 0) connections_of_.erase(of_client);
  stats_.connections_open.subtract();
  const auto owner = sessions_.find(&session);
  session_graves_.push_back(std::move(owner->second));
  sessions_.erase(owner);
  if (!grave_timer_.armed()) loop_->arm(grave_timer_, Duration::zero());
  update_listeners();
}

Mirror* Worker::make_mirror(Session& session) {
  if (mirrors_.size() >= options_.max_mirrors) return nullptr;
  auto mirror = std::make_unique<Mirror>(*this, session);
  Mirror* made = mirror.get();
  mirrors_.emplace(made, std::move(mirror));
  return made;
}

void Worker::bury(Mirror& mirror) {
  const auto owner = mirrors_.find(&mirror);
  mirror_graves_.push_back(std::move(owner->second));
  mirrors_.erase(owner);
  if (!grave_timer_.armed()) loop_->arm(grave_timer_, Duration::zero());
}

void Worker::clear_graves() {
  session_graves_.clear();
  mirror_graves_.clear();
}

void Worker::drain(Duration deadline) {
  loop_->arm(drain_timer_, deadline);
  if (draining_) return;
  draining_ = true;
  for (const uint32_t listener : listeners_) loop_->retire_listener(listener);
  pool_.close_idle();
}

void Worker::end_drain() {
  while (!sessions_.empty()) sessions_.begin()->second->close();
}

// ---------------------------------------------------------------- small things for sessions

void Worker::log_later() {
  if (!log_timer_.armed()) loop_->arm(log_timer_, kLogDelay);
}

void Worker::flush_log() {
  stats_.dropped_log_lines.add(log_.flush());
  if (log_.pending()) loop_->arm(log_timer_, kLogRetry);
}

/// xoshiro256++ (Blackman and Vigna, public domain).
uint64_t Worker::random() {
  auto& s = random_state_;
  const uint64_t result = std::rotl(s[0] + s[3], 23) + s[0];
  const uint64_t shifted = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = std::rotl(s[3], 45);
  return result;
}

bool Worker::draw(uint32_t parts_per_million) {
  return random() % 1'000'000 < parts_per_million;
}

std::string_view Worker::make_request_id() {
  static constexpr char kHex[] = "0123456789abcdef";
  const uint64_t words[2] = {random(), random()};
  size_t at = 0;
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) request_id_[at++] = '-';
    request_id_[at++] = kHex[words[digit / 16] >> (digit % 16 * 4) & 15];
  }
  request_id_[14] = '4';                             // version (RFC 9562 section 5.4)
  request_id_[19] = kHex[8 + (words[1] >> 60 & 3)];  // variant
  return {request_id_.data(), request_id_.size()};
}

std::string_view Worker::date() {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr size_t kSize = 29;
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::snprintf(date_.data(), date_.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday % 7],
                  parts.tm_mday % 100, kMonths[parts.tm_mon % 12], (parts.tm_year + 1900) % 10000, parts.tm_hour % 100,
                  parts.tm_min % 100, parts.tm_sec % 100);
  }
  return {date_.data(), kSize};
}

std::span<char> Worker::scratch(size_t size) {
  if (scratch_.size() < size) scratch_.resize(std::max(size, size_t{65536}));
  return {scratch_.data(), size};
}

}  // namespace weir::proxy
