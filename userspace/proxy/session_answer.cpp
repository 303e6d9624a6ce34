// Answers that no endpoint gives.

#include "http/error_response.h"
#include "proxy/session.h"
#include "proxy/worker.h"

namespace weir::proxy {

/// A whole answer within HTTP: the connection goes on if the request was read to its end.
void Session::answer(const Answer& answer) {
  exchange_.flags |= answer.flags;
  exchange_.details = answer.details;
  http::ResponseHead& head = worker_->local_head();
  head.clear();
  head.status = answer.status;
  head.framing = http::Framing::kLength;
  head.content_length = answer.status == 204 ? 0 : answer.body.size();
  head.headers.add("date", worker_->date());
  if (!answer.body.empty()) head.headers.add("content-type", "text/plain");
  if (!answer.location.empty()) head.headers.add("location", answer.location);
  if (exchange_.route != nullptr) {
    apply_response_headers(head, exchange_.destination != nullptr ? exchange_.destination->response_headers
                                                                  : exchange_.route->local_response_headers);
  }
  if (!write_response_head(head)) return;
  const bool has_body =
      http::client_framing(head, this->head().version, this->head().method) == http::Framing::kLength &&
      head.content_length > 0;
  if (has_body) forward_response_body(answer.body);
  end_response();
}

/// For what is no request, or not to be trusted any more: an answer and the end of the connection.
void Session::refuse(uint16_t status, std::string_view text, uint32_t flags) {
  worker_->stats().bad_requests.add();
  exchange_.flags |= flags;
  exchange_.details = text;
  if (status == 0 || exchange_.response != Exchange::Half::kHead) {
    abort_exchange();
    return;
  }
  std::span<char> out = worker_->scratch(http::kErrorResponseBound);
  const http::Written written = codec_.write_error(stream_id_, status, text, out);
  exchange_.status = status;
  if (written) client_stream_.write_whole({out.data(), written.size});
  record();
  client_stream_.finish();
  close();
}

}  // namespace weir::proxy
