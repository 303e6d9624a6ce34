#include "proxy_process/protocol.h"

#include <algorithm>

#include "base/hash.h"
#include "proxy_process/fields.h"

namespace weir::proxy_process {
namespace {

constexpr size_t kMaxNameBytes = 4096;
constexpr size_t kMaxObjectBytes = 256U << 20;  // of one file
constexpr char kEndOfHead = '\0';               // JSON holds no such byte
constexpr size_t kMaxPorts = 65536;
constexpr uint64_t kMaxPort = 65535;

Port port_from_json(const Json& json, Fields& all) {
  Fields fields(json);
  Port port;
  port.port = static_cast<uint16_t>(fields.number("port", kMaxPort));
  port.frontend = {fields.address("address"), static_cast<uint16_t>(fields.number("frontend_port", kMaxPort))};
  port.outside = fields.flag_or("outside", false);
  if (port.port == 0) fields.fault("port", "is 0");
  if (const auto good = fields.finish(); !good) all.fault("ports", "has a bad entry: " + good.error().message);
  return port;
}

/// `objects`: what stands behind the JSON; the file's part is taken off.
ConfigurationFile file_from_json(const Json& json, std::string_view& objects, Fields& all) {
  Fields fields(json);
  ConfigurationFile file;
  file.name = fields.text("name", kMaxNameBytes);
  if (file.name.empty()) fields.fault("name", "is empty");
  if (fields.has("bytes")) {
    const auto size = fields.number("bytes", kMaxObjectBytes);
    if (size > objects.size()) fields.fault("bytes", "is more than there is");
    file.objects.emplace(objects.substr(0, size));
    objects.remove_prefix(std::min<size_t>(size, objects.size()));
  }
  if (const auto good = fields.finish(); !good) all.fault("files", "has a bad entry: " + good.error().message);
  return file;
}

routing::GatewayIdentity gateway_from_json(const Json& json, Fields& all) {
  Fields fields(json);
  routing::GatewayIdentity gateway;
  gateway.namespace_ = fields.text("namespace", kMaxNameBytes);
  for (const auto& [name, value] : fields.object("labels").items()) {
    if (!value.is_string()) {
      all.fault("gateways", "a label that is no text");
      break;
    }
    gateway.labels.emplace(name, value.get<std::string>());
  }
  if (auto good = fields.finish(); !good) all.fault("gateways", good.error().message);
  return gateway;
}

routing::ResolvedNames names_from_json(Fields& fields) {
  constexpr const char* kKey = "resolved_names";
  const Json& json = fields.object(kKey);
  routing::ResolvedNames names;
  if (json.size() > kMaxNames) fields.fault(kKey, "holds too many names");
  if (json.size() > kMaxNames) return names;
  for (const auto& [name, list] : json.items()) {
    if (name.empty() || name.size() > kMaxNameBytes || !list.is_array() || list.size() > kMaxAddressesOfName) {
      fields.fault(kKey, "holds a bad entry");
      break;
    }
    std::vector<IpAddress>& addresses = names[name];
    for (const Json& text : list) {
      const auto address = text.is_string() ? IpAddress::parse(text.get<std::string>()) : std::nullopt;
      if (address) addresses.push_back(*address);
      if (!address) fields.fault(kKey, "holds what is no IP address");
    }
  }
  return names;
}

}  // namespace

Json to_json(const Hello& hello) {
  return {{"protocol", hello.protocol},   {"version", hello.version},
          {"build", hello.build},         {"generation", hello.generation},
          {"uptime_ms", hello.uptime_ms}, {"workers", hello.workers},
          {"loop", hello.loop},           {"draining", hello.draining},
          {"settings", hello.settings}};
}

Result<Hello> hello_from_json(const Json& json) {
  constexpr size_t kMaxText = 128;
  Fields fields(json);
  Hello hello;
  hello.protocol = static_cast<uint32_t>(fields.number("protocol", 1'000'000));
  hello.version = fields.text("version", kMaxText);
  hello.build = fields.text("build", kMaxText);
  hello.generation = fields.number("generation");
  hello.uptime_ms = fields.number_or("uptime_ms", 0);
  hello.workers = static_cast<uint32_t>(fields.number("workers", kMaxWorkers));
  hello.loop = fields.text_or("loop", "", kMaxText);
  hello.draining = fields.flag_or("draining", false);
  hello.settings = fields.text_or("settings", "", kMaxText);
  if (auto good = fields.finish(); !good) return std::move(good).error().context("hello");
  return hello;
}

std::string to_blob(const Configuration& configuration) {
  std::string objects(1, kEndOfHead);
  Json files = Json::array(), ports = Json::array(), gateways = Json::array();
  for (const auto& file : configuration.files) {
    Json entry = {{"name", file.name}};
    if (file.objects) {
      entry["bytes"] = file.objects->size();
      objects += *file.objects;
    }
    files.push_back(std::move(entry));
  }
  for (const auto& port : configuration.ports) {
    Json entry = {
        {"port", port.port}, {"address", port.frontend.address.to_string()}, {"frontend_port", port.frontend.port}};
    if (port.outside) entry["outside"] = true;
    ports.push_back(std::move(entry));
  }
  for (const auto& gateway : configuration.gateways)
    gateways.push_back({{"namespace", gateway.namespace_}, {"labels", gateway.labels}});
  Json names = Json::object();
  for (const auto& [name, addresses] : configuration.resolved_names) {
    Json list = Json::array();
    for (const IpAddress& address : addresses) list.push_back(address.to_string());
    names[name] = std::move(list);
  }
  const Json json = {{"generation", configuration.generation},
                     {"full", configuration.full},
                     {"all_services", configuration.all_services},
                     {"allow_loopback_endpoints", configuration.allow_loopback_endpoints},
                     {"http_by_request", configuration.http_by_request},
                     {"gateways", std::move(gateways)},
                     {"node", configuration.node},
                     {"resolved_names", std::move(names)},
                     {"files", std::move(files)},
                     {"ports", std::move(ports)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + objects;
}

Result<Configuration> configuration_from_blob(std::string_view blob) {
  const size_t head = blob.find(kEndOfHead);
  if (head == std::string_view::npos) return Error{"configuration: its head has no end"};
  auto json = read_json(blob.substr(0, head));
  if (!json) return std::move(json).error().context("configuration");
  std::string_view objects = blob.substr(head + 1);
  Fields fields(*json);
  Configuration configuration;
  configuration.generation = fields.number("generation");
  configuration.full = fields.flag("full");
  configuration.all_services = fields.flag("all_services");
  configuration.allow_loopback_endpoints = fields.flag("allow_loopback_endpoints");
  configuration.http_by_request = fields.flag_or("http_by_request", false);
  if (fields.has("gateways"))
    for (const auto& entry : fields.array("gateways", kMaxGateways))
      configuration.gateways.push_back(gateway_from_json(entry, fields));
  configuration.node = fields.text_or("node", "", kMaxNameBytes);
  if (fields.has("resolved_names")) configuration.resolved_names = names_from_json(fields);
  for (const auto& entry : fields.array("files", kMaxFiles))
    configuration.files.push_back(file_from_json(entry, objects, fields));
  if (!objects.empty()) fields.fault("files", "has less bytes than there are");
  for (const auto& entry : fields.array("ports", kMaxPorts))
    configuration.ports.push_back(port_from_json(entry, fields));
  if (auto good = fields.finish(); !good) return std::move(good).error().context("configuration");
  return configuration;
}

std::string digest(const Settings& settings) {
  // Not the log's format of numbers but their meaning counts: the same values give the same text.
  return std::to_string(hash64(to_json(settings).dump()));
}

}  // namespace weir::proxy_process
