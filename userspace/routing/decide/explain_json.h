#pragma once
// The JSON of `weir explain`: the answer's stable shape (design section 7), and questions as `--requests FILE` has
// them.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"
#include "routing/client.h"
#include "routing/decide/explain.h"

namespace weir::routing {

/// Exactly the keys of design section 7, in its order. A destination whose effect on the request or the response
/// differs from its siblings' has "request" and "response_headers" of its own besides.
nlohmann::ordered_json to_json(const Decision& decision);

struct Question {
  std::string name;
  Client client;
  Request request;
};

/// One entry of a requests file: name, from {namespace, labels, ip} or gateway {namespace, labels, ip, name}, host,
/// dial, port, protocol (http, https, tcp), method, path, headers (pairs), sni. What does not change the decision is
/// passed over (body, data, repeat, timeout, wait). A client without ip gets that of the one pod with its namespace and
/// labels, if `table` has it; null: not. Errors name the key: `port: 70000 is not a port (1-65535)`.
Result<Question> parse_question(const nlohmann::json& entry, const Table* table);

}  // namespace weir::routing
