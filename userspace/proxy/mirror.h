#pragma once
// A copy of a request for somebody whose answer nobody waits for. It never slows or fails the request it copies: what
// it cannot take at once ends it. One thread: its worker's.

#include <string_view>

#include "http/message.h"
#include "http/serializer.h"
#include "proxy/endpoint_pool.h"
#include "proxy/route.h"

namespace weir::proxy {

class Session;
class Worker;

class Mirror final : public EndpointUser {
 public:
  /// `worker` outlives the mirror; `session` hears when it ends early, until finish().
  Mirror(Worker& worker, Session& session);

  /// False: there is no endpoint, or no connection to be had.
  bool begin(const MirrorTarget& target, const net::SocketAddress& dialled, const http::RequestHead& head,
             const http::RequestWriteOptions& options);
  void write_body(std::string_view body);
  void end_body();
  /// The session goes on to other things. Not `whole`: the request was broken off, and so is its copy.
  void finish(bool whole);

 private:
  void on_endpoint_connected() override {}
  size_t on_endpoint_data(std::string_view bytes) override;
  void on_endpoint_drained() override {}
  void on_endpoint_eof() override;
  void on_endpoint_write_failed() override;
  void on_endpoint_error(int error_number) override;
  void end();

  Worker* worker_;
  Session* session_;
  EndpointConnection* endpoint_ = nullptr;
  net::Timer timer_;
  bool over_ = false;
};

}  // namespace weir::proxy
