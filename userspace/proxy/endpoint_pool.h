#pragma once
// Connections of one loop to endpoints: kept alive between requests, by destination (host, port and subset) and
// endpoint, never shared across services.

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "http/http1_codec.h"
#include "net/loop.h"
#include "proxy/destination_state.h"
#include "proxy/options.h"

namespace weir::proxy {

class EndpointPool;

/// Whoever has a connection's attention: a session or a mirrored request.
class EndpointUser {
 public:
  virtual void on_endpoint_connected() = 0;
  /// As net::StreamHandler::on_data.
  virtual size_t on_endpoint_data(std::string_view bytes) = 0;
  virtual void on_endpoint_drained() = 0;
  virtual void on_endpoint_eof() = 0;
  virtual void on_endpoint_write_failed() = 0;
  /// The connection is gone already. ETIMEDOUT before on_endpoint_connected: the connect timeout.
  virtual void on_endpoint_error(int error_number) = 0;
  /// Of one that waits (EndpointPool::wait): a connection may be had now. It waits no longer.
  virtual void on_endpoint_free() {}

 protected:
  ~EndpointUser() = default;
};

struct EndpointKey {
  uint64_t destination = 0;  // hash of its name
  net::SocketAddress address;
  bool operator==(const EndpointKey&) const = default;
};

struct EndpointPlace;

class EndpointConnection final : public net::StreamHandler {
 public:
  EndpointConnection(EndpointPool& pool, EndpointPlace& place, const http::Limits& limits);

  [[nodiscard]] const net::Stream& stream() const { return stream_; }
  http::ClientCodec& codec() { return codec_; }
  [[nodiscard]] const EndpointKey& key() const;
  /// Not to be used again after this exchange: it has carried as many requests as the limits let it, or is too old.
  [[nodiscard]] bool used_up(net::TimePoint now) const;
  [[nodiscard]] bool connected() const { return status_ != State::kConnecting; }
  /// It has carried a request before: the endpoint may be closing it at this very moment (hardening N8).
  [[nodiscard]] bool reused() const { return requests_ > 1; }
  [[nodiscard]] uint32_t requests() const { return requests_; }

 private:
  friend class EndpointPool;
  enum class State : uint8_t { kConnecting, kBusy, kIdle, kGone };

  void on_connected() override;
  size_t on_data(std::string_view bytes) override;
  void on_drained() override;
  void on_eof() override;
  void on_write_failed(int error_number) override;
  void on_error(int error_number) override;
  void on_timer();

  EndpointPool* pool_;
  EndpointPlace* place_;
  DestinationStatePtr state_;  // counts it; may be null
  PoolLimits limits_;
  net::TimePoint made_{};
  net::Stream stream_;
  http::Http1ClientCodec codec_;
  State status_ = State::kConnecting;
  uint32_t requests_ = 1;
  EndpointUser* user_ = nullptr;
  bool settled_ = false;  // idle for a while: holds no memory that it does not need
  net::Timer timer_;      // connect timeout, then idle timeout
};

/// All of one loop's connections to one endpoint of one destination.
struct EndpointPlace {
  struct Waiter {
    EndpointUser* user;
    uint32_t max_connections;
    DestinationStatePtr state;
  };
  EndpointKey key;
  uint32_t open = 0;
  std::vector<EndpointConnection*> idle;  // last one: used last
  std::deque<Waiter> waiting;             // first come, first served
  bool serving = false;                   // whoever was first is being called: nobody is before it
};

class EndpointPool {
 public:
  /// `loop` and `options` outlive the pool.
  EndpointPool(net::Loop& loop, const Options& options);
  ~EndpointPool();
  EndpointPool(const EndpointPool&) = delete;
  EndpointPool& operator=(const EndpointPool&) = delete;

  /// The idle connection that was used last, or null; null as well while others wait for one.
  EndpointConnection* take_idle(const EndpointKey& key, EndpointUser& user);
  /// Begins a new one. `state`, which counts it, may be null. Errors: no descriptor, no route.
  Result<EndpointConnection*> connect(const EndpointKey& key, EndpointUser& user, const PoolLimits& limits,
                                      const DestinationStatePtr& state);
  /// Whether a new connection would exceed the destination's limit. One to each endpoint is let in all the same: else
  /// one loop's, or one endpoint's, connections could starve those of the others (as in Envoy). While others wait, any
  /// would: they came first.
  [[nodiscard]] bool full(const EndpointKey& key, const PoolLimits& limits, const DestinationState& state) const;
  /// Calls the user's on_endpoint_free() when it is its turn and a connection of that key is idle, or may be made.
  /// Until then stop_waiting() ends it. Inside on_endpoint_free(): the user keeps its place.
  void wait(const EndpointKey& key, EndpointUser& user, const PoolLimits& limits, const DestinationStatePtr& state);
  void stop_waiting(const EndpointKey& key, EndpointUser& user);
  /// The exchange is over and the connection clean (its codec's next() has said so): it may carry another.
  void give_back(EndpointConnection& connection);
  /// Closes it; its user hears nothing any more. With `reset`, the endpoint learns at once that the request is off.
  void discard(EndpointConnection& connection, bool reset = false);
  /// Closes all idle connections (when draining, or when room is needed).
  void close_idle();

  [[nodiscard]] size_t idle_count() const { return idle_count_; }
  [[nodiscard]] size_t open_count() const { return open_.size(); }

 private:
  friend class EndpointConnection;
  struct Hash {
    size_t operator()(const EndpointKey& key) const;
  };

  static constexpr Duration kSettle = std::chrono::seconds(1);

  EndpointPlace& place_of(const EndpointKey& key);
  void forget_idle(EndpointConnection& connection);
  void bury(EndpointConnection& connection);
  void clear_graves();
  void call_waiting(EndpointPlace& place);
  void wake();
  void serve(EndpointPlace& place);
  Duration idle_timeout(const EndpointConnection& connection) const;

  net::Loop* loop_;
  const Options* options_;
  std::unordered_map<EndpointKey, EndpointPlace, Hash> places_;
  std::unordered_map<EndpointConnection*, std::unique_ptr<EndpointConnection>> open_;
  // Those that are closed while they are on the stack: freed a turn later.
  std::vector<std::unique_ptr<EndpointConnection>> graves_;
  std::vector<EndpointKey> emptied_;
  std::vector<EndpointKey> called_;  // places with a connection for somebody who waits
  net::Timer grave_timer_, wake_timer_;
  size_t idle_count_ = 0;
};

}  // namespace weir::proxy
