#include "agent/dns/name_resolver.h"

#include <ares.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/ip_address.h"

namespace weir::agent {
namespace {

std::string joined(const std::vector<std::string>& servers) {
  std::string text;
  for (const std::string& server : servers) text.append(text.empty() ? "" : ",").append(server);
  return text;
}

std::optional<IpAddress> address_of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET)
    return IpAddress::from_v4(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr);
  if (address->sa_family != AF_INET6) return std::nullopt;
  IpAddress::Bytes bytes{};
  std::copy_n(reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr.s6_addr, bytes.size(), bytes.begin());
  return IpAddress(bytes);
}

/// Seconds that the whole answer is good for: its shortest-lived part's, aliases included.
std::chrono::seconds ttl_of(const ares_addrinfo& answer) {
  int least = INT32_MAX;
  for (const auto* node = answer.nodes; node != nullptr; node = node->ai_next) least = std::min(least, node->ai_ttl);
  for (const auto* alias = answer.cnames; alias != nullptr; alias = alias->next) least = std::min(least, alias->ttl);
  return std::chrono::seconds(std::max(least, 0));
}

}  // namespace

/// What c-ares keeps while a lookup is under way.
struct NameResolver::Question {
  NameResolver* resolver;
  std::string name;
  uint64_t number;
};

NameResolver::NameResolver(NameResolverOptions options, EventLoop& loop, std::function<void()> changed)
    : options_(std::move(options)), loop_(loop), changed_(std::move(changed)) {}

NameResolver::~NameResolver() {
  if (channel_ != nullptr) ares_destroy(channel_);  // answers what is under way with ARES_EDESTRUCTION
  if (sockets_.valid()) loop_.remove(sockets_.get());
}

Result<std::unique_ptr<NameResolver>> NameResolver::create(NameResolverOptions options, EventLoop& loop,
                                                           std::function<void()> changed) {
  std::unique_ptr<NameResolver> resolver(new NameResolver(std::move(options), loop, std::move(changed)));
  WEIR_TRY(resolver->open());
  return resolver;
}

Result<void> NameResolver::open() {
  ares_options settings{};
  settings.timeout = static_cast<int>(options_.timeout.count());
  settings.tries = options_.tries;
  settings.sock_state_cb = &NameResolver::socket_changed;
  settings.sock_state_cb_data = this;
  // Without a search list: what endpoints are called is complete.
  const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS;
  int status = ares_init_options(&channel_, &settings, mask);
  if (status != ARES_SUCCESS) return Error{std::string("name resolver: ") + ares_strerror(status)};
  if (!options_.servers.empty()) {
    const std::string servers = joined(options_.servers);
    status = ares_set_servers_ports_csv(channel_, servers.c_str());
    if (status != ARES_SUCCESS) return Error{"name servers " + servers + ": " + ares_strerror(status)};
  }
  sockets_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!sockets_) return errno_error("epoll_create1");
  WEIR_TRY(loop_.add(sockets_.get(), [this] { on_sockets(); }));
  auto timer = Timer::create(loop_, [this] { on_timer(); });
  if (!timer) return std::move(timer).error();
  timer_ = std::move(*timer);
  return {};
}

// ---------------------------------------------------------------- events

void NameResolver::socket_changed(void* resolver, int fd, int read, int write) {
  static_cast<NameResolver*>(resolver)->watch(fd, read != 0, write != 0);
}

void NameResolver::watch(int fd, bool read, bool write) {
  epoll_event event{};
  event.events = (read ? static_cast<uint32_t>(EPOLLIN) : 0U) | (write ? static_cast<uint32_t>(EPOLLOUT) : 0U);
  event.data.fd = fd;
  if (event.events == 0) {
    ::epoll_ctl(sockets_.get(), EPOLL_CTL_DEL, fd, nullptr);
  } else if (::epoll_ctl(sockets_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
    // If this fails too, the lookup ends by its timeout.
    ::epoll_ctl(sockets_.get(), EPOLL_CTL_ADD, fd, &event);
  }
}

void NameResolver::on_sockets() {
  std::array<epoll_event, 16> events;
  const int count = ::epoll_wait(sockets_.get(), events.data(), events.size(), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    const bool readable = (event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
    const bool writable = (event.events & EPOLLOUT) != 0;
    ares_process_fd(channel_, readable ? event.data.fd : ARES_SOCKET_BAD, writable ? event.data.fd : ARES_SOCKET_BAD);
  }
  follow_up();
}

void NameResolver::on_timer() {
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  follow_up();
}

/// After anything: asks what is due, waits for what comes next, and tells what is new.
void NameResolver::follow_up() {
  ask_due();
  const auto now = Clock::now();
  auto next = Clock::time_point::max();
  for (const auto& [name, entry] : names_)
    if (entry.asked == 0 && (under_way_ < options_.most_at_once)) next = std::min(next, entry.due);
  timeval limit{};
  if (under_way_ > 0 && ares_timeout(channel_, nullptr, &limit) != nullptr)
    next = std::min(next, now + std::chrono::seconds(limit.tv_sec) + std::chrono::microseconds(limit.tv_usec));
  if (next == Clock::time_point::max()) {
    timer_->cancel();
  } else {
    timer_->once(next - now);
  }
  if (std::exchange(news_, false)) changed_();
}

// ---------------------------------------------------------------- questions

void NameResolver::want(const std::vector<std::string>& names) {
  const std::set<std::string_view> wanted(names.begin(), names.end());
  const size_t before = names_.size();
  std::erase_if(names_, [&](const auto& entry) { return !wanted.contains(entry.first); });
  const bool gone = names_.size() != before;
  bool added = false;
  for (const std::string& name : names) added |= names_.try_emplace(name).second;  // due at once
  if (added || gone) timer_->once(std::chrono::nanoseconds(0));
}

void NameResolver::ask_due() {
  const auto now = Clock::now();
  std::vector<std::string> due;
  for (const auto& [name, entry] : names_)
    if (entry.asked == 0 && entry.due <= now) due.push_back(name);
  // Who has waited for longest comes first.
  std::ranges::sort(due, {}, [&](const std::string& name) { return names_.at(name).due; });
  for (const std::string& name : due) {
    if (under_way_ >= options_.most_at_once) return;
    ask(name, names_.at(name));
  }
}

void NameResolver::ask(const std::string& name, Name& entry) {
  auto question = std::make_unique<Question>(Question{this, name, ++last_question_});
  entry.asked = question->number;
  ++under_way_;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_flags = ARES_AI_NOSORT;
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &NameResolver::answered, question.release());
}

/// May be called from inside ask().
void NameResolver::answered(void* question, int status, int /*timeouts*/, ares_addrinfo* answer) {
  const std::unique_ptr<Question> asked(static_cast<Question*>(question));
  if (status != ARES_EDESTRUCTION) asked->resolver->take_answer(*asked, status, answer);
  if (answer != nullptr) ares_freeaddrinfo(answer);
}

void NameResolver::take_answer(const Question& question, int status, const ares_addrinfo* answer) {
  --under_way_;
  const auto found = names_.find(question.name);
  if (found == names_.end() || found->second.asked != question.number) return;  // nobody wants it any more
  Name& entry = found->second;
  entry.asked = 0;
  std::vector<IpAddress> addresses;
  if (status == ARES_SUCCESS && answer != nullptr) {
    for (const auto* node = answer->nodes; node != nullptr; node = node->ai_next)
      if (const auto address = address_of(node->ai_addr)) addresses.push_back(*address);
  }
  if (addresses.empty()) {
    take_failure(entry, status == ARES_SUCCESS ? ARES_ENODATA : status);
    return;
  }
  // Sorted: servers that turn their answers round are not to be taken for news.
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  if (addresses.size() > options_.most_addresses) addresses.resize(options_.most_addresses);
  const auto now = Clock::now();
  const auto good = std::chrono::duration_cast<std::chrono::milliseconds>(ttl_of(*answer));
  entry.due = now + std::clamp(good, options_.least_ttl, options_.most_ttl);
  entry.retry = std::chrono::milliseconds(0);
  const bool same = entry.state.addresses == addresses;
  news_ = news_ || !same || !entry.state.error.empty();
  entry.state = {std::move(addresses), same ? entry.state.since : now, {}};
}

void NameResolver::take_failure(Name& entry, int status) {
  entry.retry = entry.retry.count() == 0 ? options_.first_retry : std::min(2 * entry.retry, options_.most_retry);
  entry.due = Clock::now() + entry.retry;
  std::string error = ares_strerror(status);
  news_ = news_ || entry.state.error != error;
  entry.state.error = std::move(error);
}

// ---------------------------------------------------------------- what is known

routing::ResolvedNames NameResolver::addresses() const {
  routing::ResolvedNames known;
  for (const auto& [name, entry] : names_)
    if (!entry.state.addresses.empty()) known.emplace(name, entry.state.addresses);
  return known;
}

ResolvedNameStates NameResolver::states() const {
  ResolvedNameStates states;
  for (const auto& [name, entry] : names_) states.emplace(name, entry.state);
  return states;
}

}  // namespace weir::agent
