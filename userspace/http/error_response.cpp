#include "http/error_response.h"

#include "http/cursor.h"
#include "http/reason_phrase.h"

namespace weir::http {

Written write_error_response(std::uint16_t status, std::string_view text, Method request_method, std::span<char> out) {
  Cursor cursor(out);
  if (status < 400 || status > 599) cursor.fail(WriteError::kBadValue);
  cursor.put("HTTP/1.1 ");
  cursor.put_number(status);
  cursor.put(" ");
  cursor.put(reason_phrase(status));
  cursor.put("\r\n");
  // RFC 9110 section 15.5.6: a 405 must have it.
  if (status == 405) cursor.put("allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\r\n");
  cursor.put("content-type: text/plain\r\ncontent-length: ");
  cursor.put_number(text.empty() ? 0 : text.size() + 1);
  cursor.put("\r\nconnection: close\r\n\r\n");
  if (!text.empty() && request_method != Method::kHead) {
    cursor.put_value(text);
    cursor.put("\n");
  }
  return cursor.written();
}

}  // namespace weir::http
