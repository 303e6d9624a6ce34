#include <algorithm>
#include <array>

#include "config/read.h"
#include "config/scalars.h"

namespace weir::config {
namespace {

bool one_of(std::string_view text, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

/// The statuses that have a name in RFC 9110 and its extensions (Go's http.StatusText).
bool is_named_status(int64_t status) {
  constexpr std::array<std::pair<int, int>, 12> kNamed = {{{100, 103},
                                                           {200, 208},
                                                           {226, 226},
                                                           {300, 305},
                                                           {307, 308},
                                                           {400, 418},
                                                           {421, 426},
                                                           {428, 429},
                                                           {431, 431},
                                                           {451, 451},
                                                           {500, 508},
                                                           {510, 511}}};
  return std::any_of(kNamed.begin(), kNamed.end(),
                     [&](const auto& range) { return status >= range.first && status <= range.second; });
}

void check_retry_on(Context& context, Position at, std::string_view list) {
  while (true) {
    const size_t comma = list.find(',');
    const std::string_view policy = list.substr(0, comma);
    const bool known = one_of(policy, {"5xx", "gateway-error", "reset", "reset-before-request", "connect-failure",
                                       "envoy-ratelimited", "retriable-4xx", "refused-stream", "retriable-status-codes",
                                       "retriable-headers", "http3-post-connect-failure", "cancelled",
                                       "deadline-exceeded", "internal", "resource-exhausted", "unavailable"});
    if (!known && !is_named_status(parse_integer(policy).value_or(0))) {
      context.error(at, quote(policy) + " is not a condition of retryOn",
                    policy.find(' ') != std::string_view::npos
                        ? "names are separated by a comma alone, without spaces"
                        : "such as 5xx, gateway-error, reset, connect-failure, refused-stream, unavailable, 503");
      return;
    }
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

/// What of `retryOn` Istio knows and no answer to Weir can ever be.
void report_idle_conditions(Context& context, Position at, const std::string& list) {
  const auto has = [&](std::string_view word) {
    return ("," + list + ",").find("," + std::string(word) + ",") != std::string::npos;
  };
  for (const std::string_view word : {"refused-stream", "http3-post-connect-failure"}) {
    if (has(word)) {
      context.info(at, code::kRetries,
                   "retryOn " + std::string(word) + " has no effect: endpoints are spoken to in HTTP/1.1");
    }
  }
  for (const std::string_view word : {"envoy-ratelimited", "retriable-headers"}) {
    if (has(word)) {
      context.warn(at, code::kRetries,
                   "retryOn " + std::string(word) + " is not honoured: such an answer is passed on to the client",
                   "name statuses: 503, 429");
    }
  }
}

std::optional<uint16_t> read_status(Fields& fields, std::string_view key) {
  const auto status = fields.integer(key, 200, 600);  // 600 too: that is how Istio compares
  if (!status) return std::nullopt;
  return static_cast<uint16_t>(status->value);
}

bool is_grpc_status(std::string_view name) {
  return one_of(name, {"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
                       "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
                       "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"});
}

void warn_of_old_percent(Fields& fields) {
  if (fields.find("percent") == nullptr) return;
  fields.context.warn(fields.at_key("percent"), code::kDeprecated,
                      fields.child("percent").text() + " is deprecated and ignored", "write percentage: {value: ...}");
}

FaultDelay read_delay(Fields& fields) {
  FaultDelay delay;
  delay.at = fields.at();
  if (fields.find("exponentialDelay") != nullptr) {
    fields.context.error(fields.at_key("exponentialDelay"), "exponentialDelay is not supported", "use fixedDelay");
  }
  const auto fixed = read_positive_duration(fields, "fixedDelay");
  if (fixed) delay.fixed_delay = fixed->value;
  if (!fixed && !fields.present("fixedDelay") && !fields.present("exponentialDelay")) {
    fields.context.warn(fields.at(), code::kSchemaWarning,
                        fields.path().text() + " has no fixedDelay and does nothing");
  }
  delay.percentage = read_percent(fields, "percentage", true).value_or(Percent{0, fields.at()});
  warn_of_old_percent(fields);
  return delay;
}

FaultAbort read_abort(Fields& fields) {
  FaultAbort abort;
  abort.at = fields.at();
  abort.http_status = read_status(fields, "httpStatus");
  const auto grpc = fields.located("grpcStatus");
  if (fields.find("grpcStatus") != nullptr && !is_grpc_status(grpc.value)) {
    fields.context.error(grpc.at, quote(grpc.value) + " is not a gRPC status",
                         "such as UNAVAILABLE, NOT_FOUND, INTERNAL");
  }
  abort.grpc_status = grpc.value;
  if (is_grpc_status(grpc.value) && !abort.http_status) {
    fields.not_honoured("grpcStatus", code::kGrpcAbort, "Weir answers in HTTP only; the request goes on");
  }
  if (fields.find("http2Error") != nullptr) {
    fields.context.error(fields.at_key("http2Error"), "HTTP/2 abort fault injection is not supported",
                         "use httpStatus");
  }
  if (!fields.present("httpStatus") && !fields.present("grpcStatus") && !fields.present("http2Error")) {
    fields.context.warn(fields.at(), code::kSchemaWarning, fields.path().text() + " has no status and does nothing");
  }
  abort.percentage = read_percent(fields, "percentage", true).value_or(Percent{0, fields.at()});
  warn_of_old_percent(fields);
  return abort;
}

}  // namespace

HttpRedirect read_redirect(Fields& fields) {
  HttpRedirect redirect;
  redirect.at = fields.at();
  redirect.uri = fields.text("uri");
  redirect.authority = fields.text("authority");
  if (!fields.missing("prefixRewrite")) redirect.uri_prefix = fields.optional_text("prefixRewrite");
  if (!redirect.uri.empty() && redirect.uri_prefix) {
    fields.context.error(fields.at_key("prefixRewrite"), "redirect has both uri and prefixRewrite", "keep one");
  }
  const auto scheme = fields.located("scheme");
  redirect.scheme = scheme.value;
  if (!scheme.value.empty() && !one_of(scheme.value, {"http", "https"})) {
    fields.context.error(scheme.at, "redirect scheme " + quote(scheme.value) + " must be http or https");
  }
  const auto port = fields.integer("port", 0, 65535);
  if (port && port->value > 0) redirect.port = static_cast<uint16_t>(port->value);
  using Derive = HttpRedirect::DerivePort;
  if (const auto derive = fields.choice<Derive>("derivePort", {{"FROM_PROTOCOL_DEFAULT", Derive::kFromProtocolDefault},
                                                               {"FROM_REQUEST_PORT", Derive::kFromRequestPort}})) {
    redirect.derive_port = derive->value;
  }
  const auto code = fields.integer("redirectCode", 0, 65535);
  if (code && code->value != 0) {
    if (code->value < 300 || code->value > 399) {
      fields.context.error(code->at, std::to_string(code->value) + " is not a redirect code", "it must be 3xx");
    }
    redirect.code = static_cast<uint16_t>(code->value);
  }
  if (redirect.uri.empty() && redirect.authority.empty() && redirect.scheme.empty() && !redirect.uri_prefix &&
      !fields.present("port") && !fields.present("derivePort")) {
    fields.context.error(fields.at(), "redirect must specify a uri, authority, scheme or port");
  }
  return redirect;
}

DirectResponse read_direct_response(Fields& fields) {
  constexpr size_t kWarnBytes = 100U << 10;
  constexpr size_t kMaxBytes = 1U << 20;
  DirectResponse response;
  response.at = fields.at();
  if (const auto status = read_status(fields, "status")) {
    response.status = *status;
  } else if (fields.find("status") == nullptr) {
    fields.context.error(fields.at(), fields.child("status").text() + " is required, 200 to 599");
  }
  fields.map("body", [&](Fields& body) {
    const Node* bytes = body.find("bytes");
    response.body = body.text("string");
    if (bytes == nullptr || !bytes->is_scalar()) return;
    const auto decoded = decode_base64(bytes->text);
    if (!decoded) body.context.error(bytes->at, body.child("bytes").text() + " is not base64");
    response.body = decoded.value_or("");
  });
  if (response.body.size() > kMaxBytes) {
    fields.context.error(fields.at_key("body"),
                         "the body has " + std::to_string(response.body.size()) + " bytes, the limit is 1 MiB");
  } else if (response.body.size() > kWarnBytes) {
    fields.context.warn(fields.at_key("body"), code::kSchemaWarning,
                        "large direct responses cost memory in every proxy",
                        "serve bodies above 100 kB from a service");
  }
  return response;
}

HttpRewrite read_rewrite(Fields& fields) {
  HttpRewrite rewrite;
  rewrite.at = fields.at();
  rewrite.uri = fields.text("uri");
  rewrite.authority = fields.text("authority");
  fields.map("uriRegexRewrite", [&](Fields& inner) {
    RegexRewrite regex;
    const auto match = inner.located("match");
    regex.match = match.value;
    regex.rewrite = inner.text("rewrite");
    if (regex.match.empty() || regex.rewrite.empty()) {
      inner.context.error(inner.at(), "uriRegexRewrite needs both match and rewrite");
    } else {
      inner.context.check(match.at, inner.child("match").text(), check_regex(regex.match));
    }
    rewrite.uri_regex = std::move(regex);
  });
  if (!rewrite.uri.empty() && rewrite.uri_regex) {
    fields.context.error(fields.at_key("uriRegexRewrite"), "rewrite has both uri and uriRegexRewrite", "keep one");
  }
  if (rewrite.uri.empty() && rewrite.authority.empty() && !rewrite.uri_regex) {
    fields.context.error(fields.at(), "rewrite must specify uri, uriRegexRewrite or authority");
  }
  return rewrite;
}

HttpRetry read_retry(Fields& fields) {
  HttpRetry retry;
  retry.at = fields.at();
  if (const auto attempts = fields.count("attempts")) retry.attempts = *attempts;
  if (const auto timeout = read_positive_duration(fields, "perTryTimeout")) retry.per_try_timeout = timeout->value;
  if (const auto backoff = read_positive_duration(fields, "backoff")) retry.backoff = backoff->value;
  const auto retry_on = fields.located("retryOn");
  if (!retry_on.value.empty()) {
    retry.retry_on = retry_on.value;
    check_retry_on(fields.context, retry_on.at, retry_on.value);
    report_idle_conditions(fields.context, retry_on.at, retry_on.value);
  }
  retry.retry_remote_localities = fields.optional_boolean("retryRemoteLocalities");
  retry.retry_ignore_previous_hosts = fields.optional_boolean("retryIgnorePreviousHosts");
  if (retry.attempts > 0 && retry.retry_remote_localities.value_or(false)) {
    fields.not_honoured("retryRemoteLocalities", code::kRetries,
                        "endpoints are picked without regard to their locality");
  }
  if (!retry.retry_ignore_previous_hosts.value_or(true)) {
    fields.not_honoured("retryIgnorePreviousHosts", code::kRetries,
                        "another endpoint is tried first where there is one");
  }
  if (retry.attempts == 0 && (retry.per_try_timeout || retry.retry_on || retry.retry_remote_localities)) {
    fields.context.error(fields.at_key("attempts"), "retries are configured, and attempts is 0, which disables them",
                         "set attempts, or leave out the rest");
  }
  return retry;
}

HttpFault read_fault(Fields& fields) {
  HttpFault fault;
  fields.map("delay", [&](Fields& delay) { fault.delay = read_delay(delay); });
  fields.map("abort", [&](Fields& abort) { fault.abort = read_abort(abort); });
  if (!fault.delay && !fault.abort) fields.context.error(fields.at(), "fault must have an abort or a delay");
  return fault;
}

CorsPolicy read_cors(Fields& fields) {
  CorsPolicy cors;
  cors.at = fields.at();
  int index = 0;
  for (const Node* origin : fields.list("allowOrigins")) {
    const Path path = fields.child("allowOrigins", index++);
    auto match = read_string_match(fields.context, *origin, path, {});
    if (!match) continue;
    if (match->value.empty() && !fields.context.has_error(match->at)) {
      fields.context.error(match->at, path.text() + " must not be empty: no origin is", "write exact, prefix or regex");
    }
    cors.allow_origins.push_back(std::move(*match));
  }
  for (auto& origin : fields.texts("allowOrigin")) {
    cors.allow_origins.push_back({StringMatch::Type::kExact, std::move(origin.value), origin.at});
    fields.context.warn(origin.at, code::kDeprecated, "allowOrigin is deprecated",
                        "write allowOrigins: [{exact: ...}]");
  }
  for (auto& method : fields.texts("allowMethods")) {
    if (!one_of(method.value, {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"})) {
      fields.context.error(method.at, quote(method.value) + " is not an HTTP method");
    }
    cors.allow_methods.push_back(std::move(method.value));
  }
  const auto read_names = [&](std::string_view key, std::vector<std::string>& into) {
    for (auto& name : fields.texts(key)) {
      fields.context.check(name.at, "header " + quote(name.value), check_header_name(name.value));
      into.push_back(std::move(name.value));
    }
  };
  read_names("allowHeaders", cors.allow_headers);
  read_names("exposeHeaders", cors.expose_headers);
  if (const auto age = read_positive_duration(fields, "maxAge")) {
    if (age->value % std::chrono::seconds(1) != Duration{0}) {
      fields.context.error(age->at, "maxAge must be whole seconds");
    }
    cors.max_age = age->value;
  }
  cors.allow_credentials = fields.optional_boolean("allowCredentials");
  using Unmatched = CorsPolicy::UnmatchedPreflights;
  if (const auto unmatched = fields.choice<Unmatched>(
          "unmatchedPreflights",
          {{"UNSPECIFIED", Unmatched::kForward}, {"FORWARD", Unmatched::kForward}, {"IGNORE", Unmatched::kIgnore}})) {
    cors.unmatched_preflights = unmatched->value;
  }
  return cors;
}

}  // namespace weir::config
