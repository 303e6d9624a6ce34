#include <cmath>
#include <set>

#include "config/read.h"
#include "config/scalars.h"

namespace weir::config {
namespace {

constexpr int64_t kHeaviest = INT32_MAX;  // the API's own; any list of weights sums in 64 bits

bool is_authority(std::string_view name) {
  const std::string lower = to_lower(name);
  return lower == ":authority" || lower == "host";
}

/// `authority_too`: request set and add may change the authority; nothing else may name a pseudo header.
void check_operation_name(Context& context, Position at, const std::string& name, bool authority_too) {
  if (is_authority(name)) {
    if (!authority_too)
      context.error(at, "header " + quote(name) + " cannot be changed here", "request set and add can");
    return;
  }
  if (name.starts_with(':')) {
    context.error(at, "header " + quote(name) + " cannot be changed: it begins with \":\"");
    return;
  }
  context.check(at, "header " + quote(name), check_header_name(name));
}

HeaderOperations read_operations(Fields& fields, bool request) {
  HeaderOperations operations;
  const auto read_pairs = [&](std::string_view key, std::vector<std::pair<std::string, std::string>>& into) {
    fields.members(key, [&](const std::string& name, Position at, const Node& node) {
      check_operation_name(fields.context, at, name, request);
      const Path path = fields.child(key);
      const auto value = string_of(fields.context, node, {&path, name});
      if (!value) return;
      fields.context.check(node.at, "header value " + quote(*value), check_header_value(*value));
      into.emplace_back(name, *value);
    });
  };
  read_pairs("set", operations.set);
  read_pairs("add", operations.add);
  for (auto& name : fields.texts("remove")) {
    check_operation_name(fields.context, name.at, name.value, false);
    operations.remove.push_back(std::move(name.value));
  }
  return operations;
}

std::optional<Located<uint32_t>> read_weight(Fields& fields) {
  if (fields.present("weight") && fields.find("weight") == nullptr) {
    fields.context.error(fields.at_key("weight"), fields.child("weight").text() + " must not be null");
    return std::nullopt;
  }
  const Node* node = fields.find("weight");
  if (node != nullptr && node->is_scalar()) {
    const auto value = parse_integer(node->text);
    if (value && *value < 0) {
      fields.context.error(node->at, "weight " + std::to_string(*value) + " < 0",
                           "weights are 0 or more; 0 means never");
      return std::nullopt;
    }
  }
  const auto weight = fields.integer("weight", 0, kHeaviest);
  if (!weight) return std::nullopt;
  return Located<uint32_t>{static_cast<uint32_t>(weight->value), weight->at};
}

void check_total_weight(Fields& fields, const std::vector<WeightedDestination>& route) {
  if (route.size() < 2) return;
  uint64_t total = 0;
  for (const auto& item : route) total += item.weight ? item.weight->value : 0;
  if (total > 0) return;
  fields.context.error(fields.at_key("route"), "total destination weight = 0",
                       "give at least one of the destinations a weight above 0");
}

void check_export_name(Context& context, const Located<std::string>& item, bool service_entry) {
  if (item.value == "*" || item.value == "." || is_host_label(item.value)) return;
  if (item.value == "~") {
    if (!service_entry) context.error(item.at, "exportTo \"~\" is for ServiceEntries only");
    return;
  }
  context.error(item.at, "exportTo " + quote(item.value) + " is not a namespace", "use a namespace, \".\" or \"*\"");
}

}  // namespace

bool is_absent_or_empty(Fields& fields, std::string_view key) {
  const Node* node = fields.find(key);
  return node == nullptr || (node->is_sequence() && node->items.empty());
}

std::optional<StringMatch> read_string_match(Context& context, const Node& node, const Path& path,
                                             StringMatchRules rules) {
  if (node.is_null()) {
    context.error(node.at, "match " + path.text() + " must not be null", "write {} to ask for presence");
    return std::nullopt;
  }
  Fields fields(context, node, path);
  if (!node.is_map()) return std::nullopt;
  StringMatch match;
  match.at = node.at;
  const auto read_type = [&](std::string_view key, StringMatch::Type type) {
    const Node* value = fields.find(key);
    if (value == nullptr) return;
    match.type = type;
    match.at = value->at;
    match.value = string_of(context, *value, fields.child(key)).value_or("");
  };
  read_type("exact", StringMatch::Type::kExact);
  read_type("prefix", StringMatch::Type::kPrefix);
  read_type("regex", StringMatch::Type::kRegex);
  fields.finish(Fields::Unknown::kRefuse);
  if (match.type == StringMatch::Type::kPrefix && match.value.empty() && !rules.allow_empty_prefix) {
    context.error(match.at, path.text() + ": prefix must not be empty", "write {} to ask for presence");
  }
  if (match.type == StringMatch::Type::kRegex) {
    if (rules.star_is_presence && match.value == "*") {
      match.type = StringMatch::Type::kPresent;
      match.value.clear();
    } else {
      context.check(match.at, path.text() + ": regex", check_regex(match.value));
    }
  }
  return match;
}

Destination read_destination(Fields& fields) {
  Destination destination;
  destination.at = fields.at();
  destination.host = fields.located("host");
  const Position host_at = destination.host.at.line > 0 ? destination.host.at : fields.at();
  if (fields.missing("host")) {
    fields.context.error(host_at, fields.child("host").text() + " is required: the service to send to");
  } else if (destination.host.value == "*") {
    fields.context.error(host_at, "destination host \"*\" is not allowed", "name one service");
  } else if (!destination.host.value.empty()) {
    fields.context.check(host_at, "destination host " + quote(destination.host.value),
                         check_wildcard_domain(destination.host.value),
                         is_ip(destination.host.value) ? "an address needs a ServiceEntry, and its host here" : "");
  }
  destination.subset = fields.located("subset");
  if (!destination.subset.value.empty() && !is_host_label(destination.subset.value)) {
    fields.context.error(destination.subset.at, "subset name " + quote(destination.subset.value) + " is invalid",
                         "letters, digits and \"-\", at most 63");
  }
  fields.map("port", [&](Fields& port) {
    destination.port = port.port("number");
    if (!port.present("number")) port.context.error(port.at(), port.child("number").text() + " is required");
  });
  return destination;
}

Destination read_destination_field(Fields& fields) {
  Destination destination;
  if (!fields.map("destination", [&](Fields& inner) { destination = read_destination(inner); }) &&
      fields.find("destination") == nullptr) {
    fields.context.error(fields.at(), fields.child("destination").text() + " is required");
  }
  return destination;
}

Headers read_headers(Fields& fields) {
  Headers headers;
  fields.map("headers", [&](Fields& inner) {
    inner.map("request", [&](Fields& request) { headers.request = read_operations(request, true); });
    inner.map("response", [&](Fields& response) { headers.response = read_operations(response, false); });
  });
  return headers;
}

std::vector<WeightedDestination> read_destinations(Fields& fields, bool http) {
  std::vector<WeightedDestination> route;
  fields.each("route", [&](Fields& item) {
    WeightedDestination weighted;
    weighted.at = item.at();
    weighted.destination = read_destination_field(item);
    weighted.weight = read_weight(item);
    if (http) weighted.headers = read_headers(item);
    route.push_back(std::move(weighted));
  });
  check_total_weight(fields, route);
  return route;
}

std::optional<Percent> read_percent(Fields& fields, std::string_view key, bool fault) {
  std::optional<Percent> percent;
  fields.map(key, [&](Fields& inner) {
    const auto value = inner.number("value");
    percent = Percent{0, inner.at()};
    if (!value) return;
    percent->at = value->at;
    const double least = fault && value->value > 0 ? 0.0001 : 0;
    if (value->value < least || value->value > 100) {
      inner.context.error(value->at, inner.child("value").text() + " must be 0 to 100" +
                                         (fault ? ", in steps of at least 0.0001" : ""));
      return;
    }
    percent->parts_per_million = static_cast<uint32_t>(std::floor(value->value * 10'000 + 1e-6));
  });
  return percent;
}

std::optional<Located<Duration>> read_positive_duration(Fields& fields, std::string_view key) {
  const auto duration = fields.duration(key);
  if (!duration) return std::nullopt;
  if (duration->value < std::chrono::milliseconds(1)) {
    fields.context.error(duration->at,
                         fields.child(key).text() + " is " + to_text(duration->value) + ", it must be at least 1ms",
                         duration->value == Duration{0} ? "leave it out for none" : "");
    return std::nullopt;
  }
  if (duration->value % std::chrono::milliseconds(1) != Duration{0}) {
    fields.context.error(duration->at, fields.child(key).text() + " must be whole milliseconds");
    return std::nullopt;
  }
  return duration;
}

std::vector<Located<std::string>> read_gateway_names(Fields& fields) {
  auto gateways = fields.texts("gateways");
  bool checked = false;
  for (const auto& gateway : gateways) {
    const bool internal = gateway.value.find("~istio-autogenerated-k8s-gateway~") != std::string::npos;
    if (internal) {
      fields.context.warn(gateway.at, code::kInternalGateway,
                          "gateway " + quote(gateway.value) + " is internal to Istio",
                          "refer to a Gateway of networking.istio.io");
    }
    const Wrong wrong = check_gateway_name(gateway.value);
    if (checked && gateway.value.starts_with("./") && is_host_label(gateway.value.substr(2))) continue;
    if (wrong && checked) {
      if (internal) continue;
      fields.context.warn(gateway.at, code::kSchemaWarning, "gateway " + quote(gateway.value) + " " + *wrong);
    } else {
      fields.context.check(gateway.at, "gateway " + quote(gateway.value), wrong);
    }
    // Istio looks no further than to the first name without a namespace; what follows names no gateway all the same.
    checked |= gateway.value.find('/') == std::string::npos;
    if (gateway.value.find('/') == std::string::npos && gateway.value.find('.') != std::string::npos) {
      fields.context.warn(gateway.at, code::kSchemaWarning,
                          "gateway " + quote(gateway.value) + " is in the legacy full form", "write namespace/name");
    }
  }
  return gateways;
}

std::vector<Located<std::string>> read_export_to(Fields& fields, bool service_entry) {
  auto export_to = fields.texts("exportTo");
  std::set<std::string> seen;
  for (const auto& item : export_to) {
    check_export_name(fields.context, item, service_entry);
    const std::string name = item.value == "." ? fields.context.namespace_ : item.value;
    if (!seen.insert(name).second) {
      fields.context.error(item.at, "exportTo " + quote(item.value) + " is given twice",
                           item.value == "." ? "\".\" is the object's own namespace" : "");
    }
    if (export_to.size() > 1 && (item.value == "*" || item.value == "~")) {
      fields.context.error(item.at, "exportTo " + quote(item.value) + " cannot stand beside others");
    }
  }
  return export_to;
}

Labels read_checked_labels(Fields& fields, std::string_view key) {
  Labels labels = fields.labels(key);
  for (const auto& [name, value] : labels) {
    fields.context.check(fields.at_key(key), "label " + quote(name), check_label(name, value));
  }
  return labels;
}

Labels read_selector_labels(Fields& fields, std::string_view key) {
  Labels labels = fields.labels(key);
  for (const auto& [name, value] : labels) {
    if (name.empty()) {
      fields.context.error(fields.at_key(key), "empty key is not supported in selector: =" + value);
    } else if (name.find('*') != std::string::npos || value.find('*') != std::string::npos) {
      fields.context.error(fields.at_key(key), "wildcard is not supported in selector: " + name + "=" + value);
    }
  }
  if (labels.empty()) {
    fields.context.warn(fields.at(), code::kSchemaWarning, "workload selector without labels: it selects everything");
  }
  return labels;
}

std::string read_source_namespace(Fields& fields) {
  const auto space = fields.located("sourceNamespace");
  if (!space.value.empty() && !is_host_label(space.value)) {
    fields.context.error(space.at, "sourceNamespace " + quote(space.value) + " is not a namespace");
  }
  return space.value;
}

std::string normalize_protocol(std::string_view text) {
  const std::string upper = to_upper(text);
  for (const std::string_view known : {"HTTP", "HTTPS", "GRPC", "GRPC-WEB", "HTTP2", "HTTP_PROXY", "MONGO", "MYSQL",
                                       "REDIS", "TCP", "TLS", "UDP", "HBONE"}) {
    if (upper == known) return upper;
  }
  return {};
}

}  // namespace weir::config
