#pragma once
// VirtualService (reference semantics 1.1 to 1.3). Include config/model.h.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "config/model_common.h"

namespace weir::config {

struct StringMatch {
  enum class Type { kExact, kPrefix, kRegex, kPresent };
  Type type = Type::kPresent;
  std::string value;  // empty for kPresent. A header regex of "*" is read as kPresent (istio#20629)
  Position at;
};

struct HttpMatch {
  Position at;
  std::string name;
  std::optional<StringMatch> uri, scheme, method, authority;
  bool ignore_uri_case = false;
  std::map<std::string, StringMatch> headers;          // names in lower case
  std::map<std::string, StringMatch> without_headers;  // names in lower case
  std::map<std::string, StringMatch> query_params;
  std::optional<Located<uint16_t>> port;
  Labels source_labels;
  std::string source_namespace;
  std::vector<Located<std::string>> gateways;
};

struct Destination {
  Position at;
  Located<std::string> host;
  Located<std::string> subset;  // value empty: none
  std::optional<Located<uint16_t>> port;
};

struct HeaderOperations {
  // In file order; names as written.
  std::vector<std::pair<std::string, std::string>> set, add;
  std::vector<std::string> remove;
  [[nodiscard]] bool empty() const { return set.empty() && add.empty() && remove.empty(); }
};
struct Headers {
  HeaderOperations request, response;
  [[nodiscard]] bool empty() const { return request.empty() && response.empty(); }
};

/// One entry of route[], http or tcp/tls.
struct WeightedDestination {
  Position at;
  Destination destination;
  std::optional<Located<uint32_t>> weight;  // 0..1'000'000'000
  Headers headers;                          // http only
};

struct HttpRedirect {
  Position at;
  std::string uri, authority, scheme;
  std::optional<std::string> uri_prefix;  // prefixRewrite
  std::optional<uint16_t> port;
  enum class DerivePort { kNone, kFromProtocolDefault, kFromRequestPort };
  DerivePort derive_port = DerivePort::kNone;
  uint16_t code = 301;
};

struct DirectResponse {
  Position at;
  uint16_t status = 200;
  std::string body;  // string, or decoded bytes
};

struct RegexRewrite {
  std::string match, rewrite;
};
struct HttpRewrite {
  Position at;
  std::string uri, authority;
  std::optional<RegexRewrite> uri_regex;
};

struct HttpRetry {
  Position at;
  uint32_t attempts = 0;
  std::optional<Duration> per_try_timeout, backoff;
  std::optional<std::string> retry_on;  // as written
  std::optional<bool> retry_remote_localities, retry_ignore_previous_hosts;
};

struct FaultDelay {
  Position at;
  Duration fixed_delay{};
  Percent percentage;  // absent in the file: 0 (semantics 1.2)
};
struct FaultAbort {
  Position at;
  std::optional<uint16_t> http_status;
  std::string grpc_status;  // name; empty: none
  Percent percentage;       // absent in the file: 0
};
struct HttpFault {
  std::optional<FaultDelay> delay;
  std::optional<FaultAbort> abort;
};

struct Mirror {
  Position at;
  Destination destination;
  Percent percentage{1'000'000, {}};
};

struct CorsPolicy {
  Position at;
  std::vector<StringMatch> allow_origins;
  std::vector<std::string> allow_methods, allow_headers, expose_headers;
  std::optional<Duration> max_age;
  std::optional<bool> allow_credentials;
  enum class UnmatchedPreflights { kForward, kIgnore };
  UnmatchedPreflights unmatched_preflights = UnmatchedPreflights::kForward;
};

struct Delegate {
  Position at;
  Located<std::string> name;
  std::string namespace_;
};

struct HttpRoute {
  Position at;
  std::string name;
  std::vector<HttpMatch> match;  // OR; empty: always
  std::vector<WeightedDestination> route;
  std::optional<HttpRedirect> redirect;
  std::optional<DirectResponse> direct_response;
  std::optional<Delegate> delegate;
  std::optional<HttpRewrite> rewrite;
  std::optional<Located<Duration>> timeout;
  std::optional<HttpRetry> retries;
  std::optional<HttpFault> fault;
  std::vector<Mirror> mirrors;               // `mirror` is read as a list of one
  bool mirrors_are_list = false;             // written as `mirrors`
  std::optional<Percent> mirror_percentage;  // as written, also without a mirror: a delegate's takes it on
  std::optional<CorsPolicy> cors_policy;
  Headers headers;
};

struct L4Match {
  Position at;
  std::vector<Cidr> destination_subnets;
  std::optional<Cidr> source_subnet;
  std::optional<Located<uint16_t>> port;
  Labels source_labels;
  std::string source_namespace;
  std::vector<Located<std::string>> gateways;
  std::vector<Located<std::string>> sni_hosts;  // tls only
};

/// One entry of tcp[] or tls[].
struct L4Route {
  Position at;
  std::vector<L4Match> match;
  std::vector<WeightedDestination> route;
};

struct VirtualService {
  Metadata meta;
  std::vector<Located<std::string>> hosts;
  std::vector<Located<std::string>> gateways;
  std::vector<HttpRoute> http;
  std::vector<L4Route> tcp, tls;
  std::vector<Located<std::string>> export_to;
};

}  // namespace weir::config
