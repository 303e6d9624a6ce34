#pragma once
// What the to_text() of objects is put together from; for model*.cpp.

#include <string>
#include <vector>

#include "config/model.h"

namespace weir::config {

template <class Items, class ToText>
std::string join(const Items& items, ToText to_text) {
  std::string text;
  for (const auto& item : items) {
    if (!text.empty()) text += ",";
    text += to_text(item);
  }
  return text;
}

inline std::string values(const std::vector<Located<std::string>>& items) {
  return join(items, [](const auto& item) { return item.value; });
}

inline std::string pairs(const Labels& labels) {
  return join(labels, [](const auto& label) { return label.first + "=" + label.second; });
}

namespace gateway_api {

std::string body(const GatewayClass& object);
std::string body(const Gateway& object);
std::string body(const ListenerSet& object);
std::string body(const HttpRoute& object);
std::string body(const GrpcRoute& object);
std::string body(const TcpRoute& object);
std::string body(const TlsRoute& object);
std::string body(const UdpRoute& object);
std::string body(const ReferenceGrant& object);
std::string body(const BackendTlsPolicy& object);

}  // namespace gateway_api
}  // namespace weir::config
