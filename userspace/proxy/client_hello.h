#pragma once
// The name in a TLS ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3), for passing TLS on by it. Pure.

#include <string>
#include <string_view>

namespace weir::proxy {

struct ClientHello {
  enum class State {
    kMore,  // cannot be told yet
    kDone,  // `server_name` holds; empty: it names none
    kBad,   // no TLS, or none that we can read
  };
  State state = State::kMore;
  std::string server_name;  // as sent
};

/// More than this is no ClientHello that is waited for.
inline constexpr size_t kMaxClientHello = 16 * 1024;

/// `bytes`: all that the client has sent so far; the message may lie in several records.
ClientHello read_client_hello(std::string_view bytes);

}  // namespace weir::proxy
