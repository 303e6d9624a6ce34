#pragma once
// One client connection and the requests on it, one after the other.
//
// A session has two halves. The request half reads from the client and writes to an endpoint, the response half the
// other way; each can be paused by the side it writes to, so that a connection holds at most its two bounded queues.
// Each half says when it is complete; maybe_finish() alone decides what then, close() alone ends the session.
//
//   idle -> (head) -> route -> [fault delay] -> try -> head sent -> ... -> finish -> idle
//                       |                        |  ^ retry
//                       +-> answered by us       +--+
//
// One thread: its worker's.

#include <memory>
#include <string_view>
#include <vector>

#include "http/codec.h"
#include "http/http1_codec.h"
#include "net/loop.h"
#include "proxy/endpoint_pool.h"
#include "proxy/exchange.h"
#include "proxy/retry.h"
#include "proxy/route_compiler.h"
#include "routing/rule/request_view.h"

namespace weir::proxy {

class Mirror;
class Worker;

class Session final : public net::StreamHandler, public EndpointUser {
 public:
  /// `worker` outlives the session.
  Session(Worker& worker, uint16_t frontend_port, Frontend frontend, const IpAddress& client);
  ~Session();

  void start(FileDescriptor fd);
  /// Closes without a further word.
  void close();
  [[nodiscard]] const IpAddress& client() const { return client_; }
  void forget_mirror(const Mirror& mirror);

 private:
  friend class Worker;
  enum class State : uint8_t { kSniff, kIdle, kHead, kExchange, kTunnel, kClosed };

  // session.cpp: the life of a connection.
  size_t on_data(std::string_view bytes) override;
  void on_drained() override;
  void on_eof() override;
  void on_write_failed(int error_number) override;
  void on_error(int error_number) override;
  void begin_idle();
  void maybe_finish();
  void finish_exchange();
  void abort_exchange();
  void leave_destination();
  void on_watch();
  void on_idle();
  bool answer_has_ceased(Duration period);
  bool watch_body();
  void record();
  void write_log();
  void count();
  void count_flags(TrafficStats& stats) const;

  // session_request.cpp: from the head to the decision.
  size_t read_request(std::string_view bytes);
  bool ready_for_body();
  void on_head();
  bool refuse_early(const http::RequestHead& head);
  [[nodiscard]] bool loops(const http::RequestHead& head) const;
  [[nodiscard]] std::string_view scheme(const http::RequestHead& request) const;
  bool make_view(http::RequestHead& head, routing::RequestView& view);
  void find_route(const routing::RequestView& view);
  void take_route(const routing::RequestView& view);
  void on_pause_over();
  void answer_route();
  void redirect(const routing::Redirect& to);

  // session_choose.cpp: from the route to an endpoint and what it is sent.
  void choose_endpoint();
  void find_balancing_key();
  bool pick_endpoint();
  void overflow();
  void prepare_head();
  void set_originals();
  void apply_request_headers(const routing::HeaderPlan& plan);
  void apply_response_headers(http::ResponseHead& head, const routing::HeaderPlan& plan);

  // session_forward.cpp: a try and its body.
  void start_mirrors(const http::RequestWriteOptions& options);
  void start_try();
  void connect_try();
  bool enter_pending();
  void on_endpoint_free() override;
  void send_head();
  void forward_body(std::string_view body);
  void end_request_body();
  void replay_body();
  void drop_endpoint(bool reset = false);
  void leave_queue();

  // session_retry.cpp: a try's failure.
  void report(TryResult result);
  void fail_try(Failure failure, int error_number, bool reused);
  bool retry(Failure failure);
  bool can_send_again(Failure failure) const;
  bool begin_retry();
  void answer_failure(Failure failure, int error_number);
  void on_deadline();
  void on_try_deadline();

  // session_response.cpp: from the endpoint to the client.
  void on_endpoint_connected() override;
  size_t on_endpoint_data(std::string_view bytes) override;
  void on_endpoint_drained() override;
  void on_endpoint_eof() override;
  void on_endpoint_write_failed() override;
  void on_endpoint_error(int error_number) override;
  bool on_response_head();
  void forward_interim(const http::ResponseHead& head);
  void note_answer(const http::ResponseHead& head);
  bool write_response_head(const http::ResponseHead& head);
  void forward_response_body(std::string_view body);
  void end_response();
  void fail_response();

  // session_tunnel.cpp: connections that are no HTTP/1.1, or no more.
  size_t sniff_more(std::string_view bytes);
  void on_sniff_timeout();
  void on_sniff_end();
  void begin_http();
  size_t sniff_tls(std::string_view bytes);
  void begin_raw_tunnel(bool http2, std::string_view sni = {});
  bool connect_tunnel();
  void begin_tunnel(http::ResponseHead& head);
  void arm_tunnel_watch();
  void watch_tunnel();
  size_t tunnel(const net::Stream& to, std::string_view bytes);
  void fail_tunnel();
  void end_tunnel();

  // session_answer.cpp: answers of our own.
  struct Answer {
    uint16_t status;
    std::string_view body;
    uint32_t flags = 0;
    std::string_view details;
    std::string_view location;  // of a redirect
  };
  void answer(const Answer& answer);
  void refuse(uint16_t status, std::string_view text, uint32_t flags);

  [[nodiscard]] routing::RequestView view_for_formats() const;
  http::RequestHead& head() { return codec_.request(stream_id_); }
  [[nodiscard]] Duration since(net::TimePoint start) const;

  Worker* worker_;
  net::Stream client_stream_;
  http::Http1ServerCodec codec_;
  http::StreamId stream_id_ = 0;
  uint16_t frontend_port_;
  Frontend frontend_;
  IpAddress client_;
  std::string client_text_;
  State state_ = State::kIdle;
  bool settled_ = false;                                // idle for a while: holds no memory that it does not need
  bool client_ended_ = false, endpoint_ended_ = false;  // it has sent FIN
  bool expecting_head_ = true;  // nothing has been served yet: the head's deadline runs from accept

  Exchange exchange_;
  EndpointConnection* endpoint_ = nullptr;
  net::BlockQueue replay_;  // what went out of the body, while it may have to go out again; or what was sniffed
  std::vector<Mirror*> mirrors_;

  net::Timer watch_;         // what the connection must do next, and whether bodies move
  net::Timer deadline_;      // of the route
  net::Timer try_deadline_;  // of this try, or of the head of the response
  net::Timer pause_;         // a fault's delay, or before a retry
  uint64_t watched_received_ = 0, watched_client_sent_ = 0, watched_endpoint_sent_ = 0, tunnelled_ = 0,
           watched_tunnelled_ = 0, watched_answered_ = 0;

  // In the worker's list of idle sessions.
  Session* idle_next_ = nullptr;
  Session* idle_previous_ = nullptr;
  bool in_idle_list_ = false;

  uint64_t routes_version_ = 0;  // for which client_class_ holds
  uint32_t client_class_ = 0;
};

}  // namespace weir::proxy
