#pragma once
// Connections of one loop to endpoints: kept alive between requests, by service and endpoint, never shared across
// services.

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "http/http1_codec.h"
#include "net/loop.h"
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

 protected:
  ~EndpointUser() = default;
};

struct EndpointKey {
  uint64_t service = 0;
  net::SocketAddress address;
  bool operator==(const EndpointKey&) const = default;
};

class EndpointConnection final : public net::StreamHandler {
 public:
  EndpointConnection(EndpointPool& pool, const EndpointKey& key, const http::Limits& limits);

  [[nodiscard]] const net::Stream& stream() const { return stream_; }
  http::ClientCodec& codec() { return codec_; }
  [[nodiscard]] const EndpointKey& key() const { return key_; }
  [[nodiscard]] bool connected() const { return state_ != State::kConnecting; }
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
  EndpointKey key_;
  net::Stream stream_;
  http::Http1ClientCodec codec_;
  State state_ = State::kConnecting;
  uint32_t requests_ = 1;
  EndpointUser* user_ = nullptr;
  net::Timer timer_;  // connect timeout, then idle timeout
};

class EndpointPool {
 public:
  /// `loop` and `options` outlive the pool.
  EndpointPool(net::Loop& loop, const Options& options);
  ~EndpointPool();
  EndpointPool(const EndpointPool&) = delete;
  EndpointPool& operator=(const EndpointPool&) = delete;

  /// The idle connection that was used last, or null.
  EndpointConnection* take_idle(const EndpointKey& key, EndpointUser& user);
  /// Begins a new one. Errors: no descriptor, no route.
  Result<EndpointConnection*> connect(const EndpointKey& key, EndpointUser& user, Duration timeout);
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

  void forget_idle(EndpointConnection& connection);
  void bury(EndpointConnection& connection);
  void clear_graves() { graves_.clear(); }

  net::Loop* loop_;
  const Options* options_;
  std::unordered_map<EndpointKey, std::vector<EndpointConnection*>, Hash> idle_;  // last one: used last
  std::unordered_map<EndpointConnection*, std::unique_ptr<EndpointConnection>> open_;
  // Those that are closed while they are on the stack: freed a turn later.
  std::vector<std::unique_ptr<EndpointConnection>> graves_;
  net::Timer grave_timer_;
  size_t idle_count_ = 0;
};

}  // namespace weir::proxy
