#include "routing/decide/explain_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "routing/hosts.h"

namespace weir::routing {
namespace {

using Json = nlohmann::ordered_json;
using nlohmann::json;

// ---------------------------------------------------------------- answers

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json headers_json(const HeaderEffect& effect) {
  return {{"set", Json(effect.set)}, {"add", Json(effect.add)}, {"remove", Json(effect.remove)}};
}

Json request_json(const RequestEffect& effect) {
  return {{"path", effect.path}, {"host", effect.host}, {"headers", headers_json(effect)}};
}

Json rule_json(const Origin& rule) {
  return {{"kind", rule.kind},    {"namespace", rule.namespace_}, {"name", rule.name},
          {"route", rule.route},  {"index", rule.index},          {"file", rule.file},
          {"line", rule.at.line}, {"column", rule.at.column}};
}

Json destination_json(const DecisionDestination& destination) {
  Json endpoints = Json::array();
  for (const DecisionEndpoint& endpoint : destination.endpoints) {
    endpoints.push_back({{"address", endpoint.address.to_string()}, {"port", endpoint.port}});
  }
  Json result = {{"host", destination.host},     {"port", destination.port},   {"subset", destination.subset},
                 {"weight", destination.weight}, {"share", destination.share}, {"endpoints", std::move(endpoints)}};
  if (destination.redirect) result["redirect"] = *destination.redirect;
  if (destination.request) result["request"] = request_json(*destination.request);
  if (destination.response) result["response_headers"] = headers_json(*destination.response);
  return result;
}

// ---------------------------------------------------------------- questions

Error bad(const std::string& key, const std::string& what) {
  return Error{key + ": " + what};
}

Result<void> read_string(const json& object, const char* key, std::string& into) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_string()) return bad(key, "must be a string, not " + found->dump());
  into = found->get<std::string>();
  return {};
}

Result<void> read_labels(const json& object, config::Labels& into) {
  const auto found = object.find("labels");
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_object()) return bad("labels", "must be an object of strings");
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) return bad("labels." + key, "must be a string, not " + value.dump());
    into[key] = value.get<std::string>();
  }
  return {};
}

Result<void> read_port(const json& entry, Request& request) {
  const auto found = entry.find("port");
  if (found == entry.end()) {
    request.port = request.scheme == "https" ? 443 : 80;
    return {};
  }
  if (!found->is_number_integer() || found->get<int64_t>() < 1 || found->get<int64_t>() > 65535) {
    return bad("port", found->dump() + " is not a port (1-65535)");
  }
  request.port = found->get<uint16_t>();
  return {};
}

Result<void> read_headers(const json& entry, Request& request) {
  const auto found = entry.find("headers");
  if (found == entry.end() || found->is_null()) return {};
  if (!found->is_array()) return bad("headers", "must be a list of [name, value] pairs");
  for (const json& pair : *found) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
      return bad("headers", pair.dump() + " is not a [name, value] pair");
    }
    request.headers.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  }
  return {};
}

Result<void> read_protocol(const json& entry, Request& request) {
  std::string protocol = "http";
  WEIR_TRY(read_string(entry, "protocol", protocol));
  if (protocol != "http" && protocol != "https" && protocol != "tcp") {
    return bad("protocol", "\"" + protocol + "\" is not one of http, https, tcp");
  }
  request.is_http = protocol != "tcp";
  if (protocol != "https") return {};
  request.scheme = "https";
  request.sni = std::string(without_port(request.host.value_or("")));
  return {};
}

Result<Request> read_request(const json& entry) {
  Request request;
  if (const auto host = entry.find("host"); host != entry.end() && !host->is_null()) {
    if (!host->is_string()) return bad("host", "must be a string or null");
    request.host = host->get<std::string>();
  }
  WEIR_TRY(read_string(entry, "dial", request.dial));
  WEIR_TRY(read_protocol(entry, request));
  WEIR_TRY(read_port(entry, request));
  WEIR_TRY(read_string(entry, "method", request.method));
  WEIR_TRY(read_string(entry, "path", request.path));
  WEIR_TRY(read_headers(entry, request));
  if (const auto sni = entry.find("sni"); sni != entry.end()) {
    if (!sni->is_string() && !sni->is_null()) return bad("sni", "must be a string or null");
    request.sni = sni->is_null() ? std::nullopt : std::optional(sni->get<std::string>());
  }
  return request;
}

/// The address of the client's pod: of several pods alike, none.
std::optional<IpAddress> find_pod_address(const Table& table, const Client& client) {
  std::optional<IpAddress> address;
  size_t found = 0;
  table.pods.for_each([&](std::string_view, const std::shared_ptr<const Workload>& pod) {
    if (pod->namespace_ != client.namespace_ || pod->labels != client.labels || pod->addresses.empty()) return;
    address = pod->addresses.front();
    ++found;
  });
  return found == 1 ? address : std::nullopt;
}

Result<Client> read_client(const json& entry, const Table* table) {
  Client client;
  client.is_gateway = entry.contains("gateway");
  const char* key = client.is_gateway ? "gateway" : "from";
  const auto found = entry.find(key);
  if (found == entry.end() || found->is_null()) return client;
  if (!found->is_object()) return bad(key, "must be an object with namespace, labels and ip");
  if (client.is_gateway && entry.contains("from")) return bad("from", "and gateway exclude each other");
  WEIR_TRY(read_string(*found, "namespace", client.namespace_));
  WEIR_TRY(read_string(*found, "node", client.node));
  WEIR_TRY(read_labels(*found, client.labels));
  std::string ip;
  WEIR_TRY(read_string(*found, "ip", ip));
  if (!ip.empty()) {
    client.address = IpAddress::parse(ip);
    if (!client.address) return bad("ip", "\"" + ip + "\" is not an IP address");
  } else if (table != nullptr && !client.namespace_.empty()) {
    client.address = find_pod_address(*table, client);
  }
  return client;
}

}  // namespace

Json to_json(const Decision& decision) {
  Json result;
  result["service"] = decision.service;
  result["port"] = decision.port;
  result["path"] = to_string(decision.path);
  result["reason"] = decision.reason;
  result["rule"] = decision.rule ? rule_json(*decision.rule) : Json(nullptr);
  result["action"] = to_string(decision.action);
  result["status"] = or_null(decision.status);
  result["destinations"] = Json::array();
  for (const auto& destination : decision.destinations) result["destinations"].push_back(destination_json(destination));
  result["request"] = decision.request ? request_json(*decision.request) : Json(nullptr);
  result["response_headers"] = decision.response ? headers_json(*decision.response) : Json(nullptr);
  result["timeout_ms"] = or_null(decision.timeout_ms);
  result["retries"] = nullptr;
  if (decision.retries) result["retries"] = {{"attempts", decision.retries->attempts}, {"on", decision.retries->on}};
  result["mirrors"] = Json::array();
  for (const auto& mirror : decision.mirrors) {
    result["mirrors"].push_back(
        {{"host", mirror.host}, {"port", mirror.port}, {"subset", mirror.subset}, {"share", mirror.share}});
  }
  result["fault"] = nullptr;
  if (const auto& fault = decision.fault) {
    result["fault"] = {{"delay_ms", fault->delay_ms},
                       {"delay_share", fault->delay_share},
                       {"abort_status", fault->abort_status},
                       {"abort_share", fault->abort_share}};
  }
  result["redirect"] = or_null(decision.redirect);
  return result;
}

Result<Question> parse_question(const json& entry, const Table* table) {
  if (!entry.is_object()) return Error{"a request must be an object, not " + entry.dump()};
  Question question;
  WEIR_TRY(read_string(entry, "name", question.name));
  auto client = read_client(entry, table);
  if (!client) return std::move(client).error();
  auto request = read_request(entry);
  if (!request) return std::move(request).error();
  question.client = std::move(client).value();
  question.request = std::move(request).value();
  return question;
}

}  // namespace weir::routing
