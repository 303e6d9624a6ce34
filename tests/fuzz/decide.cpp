// Any YAML as a configuration: its table, its plan, what becomes of requests, and the table without it. What is looked
// for: crashes, memory, and a table that depends on how it came about.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/store.h"
#include "routing/build/table_builder.h"
#include "routing/decide/explain.h"

namespace {

using namespace weir::routing;

Request request_of(const std::string& host, uint16_t port, bool is_http) {
  Request request;
  request.is_http = is_http;
  request.host = host;
  request.port = port;
  request.path = "/a/b?q=1";
  request.headers = {{"end-user", "jason"}, {"cookie", "user=x"}};
  return request;
}

void ask(const Table& table, const Client& client) {
  for (const ServicePtr& service : table.all_services())
    for (const ServicePort& port : service->ports)
      for (const bool is_http : {true, false})
        (void)explain(table, client, request_of(service->host, port.number, is_http));
  for (const char* host : {"nosuch.test", "a.example.com", ""})
    (void)explain(table, client, request_of(host, 80, true));
}

std::string text_of(const Table& table) {
  return to_text(table) + to_text(*table.plan);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  weir::config::Store store;
  TableBuilder builder({});
  const std::string before = text_of(*builder.update({}, {}));
  const auto table = builder.update({}, store.set(weir::config::read_yaml(input, "fuzz.yaml")));
  Client pod;
  pod.namespace_ = "default";
  pod.labels = {{"version", "v1"}, {"gateway.networking.k8s.io/gateway-name", "gw"}, {"istio", "ingressgateway"}};
  ask(*table, {});
  ask(*table, pod);
  pod.is_gateway = true;
  ask(*table, pod);
  if (text_of(*builder.update({}, store.remove("fuzz.yaml"))) != before) std::abort();
  return 0;
}
