#pragma once
// The addresses of names, looked up by c-ares on the agent's event loop and kept fresh: nothing here blocks. A name
// that cannot be resolved any more keeps its last addresses, and is tried again.

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/dns/resolved_name.h"
#include "agent/node/event_loop.h"
#include "base/file_descriptor.h"
#include "base/result.h"
#include "routing/build/table_builder.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace weir::agent {

struct NameResolverOptions {
  std::vector<std::string> servers;             // "ADDRESS:PORT"; none: those of /etc/resolv.conf
  std::chrono::milliseconds timeout{2000};      // of the first try; each further one takes longer
  int tries = 2;                                // at each server
  std::chrono::milliseconds least_ttl{1000};    // an answer is good for that long at least
  std::chrono::milliseconds most_ttl{300'000};  // and for that long at most
  std::chrono::milliseconds first_retry{1000};  // after a failure; doubles up to `most_retry`
  std::chrono::milliseconds most_retry{60'000};
  size_t most_at_once = 32;    // names that are being looked up
  size_t most_addresses = 64;  // of one name; further ones are left out
};

/// One thread: the loop's.
class NameResolver {
 public:
  using Clock = std::chrono::steady_clock;

  /// `changed` is called on the loop, never from inside a call, when states() is not what it was. An error: a server
  /// that is none, or /etc/resolv.conf cannot be used.
  static Result<std::unique_ptr<NameResolver>> create(NameResolverOptions options, EventLoop& loop,
                                                      std::function<void()> changed);
  ~NameResolver();
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;

  /// From now on these are kept; lower case, each once. What is not among them is forgotten.
  void want(const std::vector<std::string>& names);
  /// Of the names that have any.
  [[nodiscard]] routing::ResolvedNames addresses() const;
  /// Every name that is wanted, with what is known of it.
  [[nodiscard]] ResolvedNameStates states() const;

 private:
  struct Name {
    ResolvedNameState state;
    Clock::time_point due;
    std::chrono::milliseconds retry{0};  // 0: the last try was good
    uint64_t asked = 0;                  // the number of the question under way; 0: none is
  };
  struct Question;

  NameResolver(NameResolverOptions options, EventLoop& loop, std::function<void()> changed);
  Result<void> open();
  void watch(int fd, bool read, bool write);
  void on_sockets();
  void on_timer();
  void ask_due();
  void ask(const std::string& name, Name& entry);
  void take_answer(const Question& question, int status, const ares_addrinfo* answer);
  void take_failure(Name& entry, int status);
  void follow_up();
  static void answered(void* question, int status, int timeouts, ares_addrinfo* answer);
  static void socket_changed(void* resolver, int fd, int read, int write);

  NameResolverOptions options_;
  EventLoop& loop_;
  std::function<void()> changed_;
  FileDescriptor sockets_;  // an epoll of c-ares' own sockets, which also waits for room to write
  std::unique_ptr<Timer> timer_;
  ares_channeldata* channel_ = nullptr;
  std::map<std::string, Name> names_;
  size_t under_way_ = 0;
  uint64_t last_question_ = 0;
  bool news_ = false;
};

}  // namespace weir::agent
