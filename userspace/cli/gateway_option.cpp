#include "cli/gateway_option.h"

#include <algorithm>
#include <string>

#include "http/field.h"
#include "routing/table.h"

namespace weir::cli {
namespace {

Error bad(std::string_view whole) {
  return Error{"\"" + std::string(whole) + "\" is neither [NAMESPACE/]NAME nor [NAMESPACE/]LABEL=VALUE,…, as " +
               "default/web or istio=ingressgateway"};
}

/// What of `text` is a namespace. A label may have a prefix of its own, which has a dot as no namespace has.
std::string_view namespace_of(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash > text.find('=') || slash == std::string_view::npos) return {};
  const std::string_view before = text.substr(0, slash);
  return before.find('.') == std::string_view::npos ? before : std::string_view{};
}

}  // namespace

Result<config::Labels> read_labels(std::string_view text) {
  config::Labels labels;
  for (size_t begin = 0; begin <= text.size() && !text.empty();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view label = text.substr(begin, end - begin);
    const size_t equals = label.find('=');
    if (equals == 0 || equals == std::string_view::npos)
      return Error{"\"" + std::string(label) + "\" is not LABEL=VALUE"};
    labels[std::string(http::trim(label.substr(0, equals)))] = http::trim(label.substr(equals + 1));
    begin = end + 1;
  }
  return labels;
}

Result<routing::GatewayIdentity> read_gateway(std::string_view text) {
  const std::string_view whole = text, space = namespace_of(text);
  if (text.starts_with('/')) return bad(whole);
  if (!space.empty()) text.remove_prefix(space.size() + 1);
  if (text.empty()) return bad(whole);
  routing::GatewayIdentity gateway;
  if (text.find('=') == std::string_view::npos) {
    if (text.find_first_of("/,") != std::string_view::npos) return bad(whole);
    gateway.namespace_ = space.empty() ? "default" : space;
    gateway.labels.emplace(routing::kGatewayNameLabel, text);
    return gateway;
  }
  gateway.namespace_ = space.empty() ? "istio-system" : space;
  auto labels = read_labels(text);
  if (!labels) return std::move(labels).error().context("\"" + std::string(whole) + "\"");
  gateway.labels = *std::move(labels);
  return gateway;
}

}  // namespace weir::cli
