// From configuration to table and plan, with 10'000 services of 10 endpoints, each with a rule of its own: the whole,
// and one change. Objects are made in code: reading YAML is not what is measured.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "config/store.h"
#include "routing/build/table_builder.h"
#include "routing/view/resolve.h"

namespace weir::routing {
namespace {

/// WEIR_BENCH_SERVICES in the environment for fewer.
const int kServices = [] {
  const char* number = std::getenv("WEIR_BENCH_SERVICES");
  return number != nullptr ? std::max(100, std::atoi(number)) : 10'000;
}();
const int kMiddle = kServices / 2;
constexpr int kEndpoints = 10;

template <class Object>
Object named(config::Kind kind, const std::string& name) {
  Object object;
  object.meta.kind = kind;
  object.meta.namespace_ = "ns" + std::to_string(std::hash<std::string>{}(name) % 50);
  object.meta.name = name;
  object.meta.file = name + ".yaml";
  object.meta.at = {1, 1};
  return object;
}

std::string service_name(int index) {
  return "service-" + std::to_string(index);
}

config::ObjectPtr share(config::AnyObject object) {
  return std::make_shared<const config::AnyObject>(std::move(object));
}

config::ObjectPtr make_service(int index) {
  auto service = named<config::Service>(config::Kind::kService, service_name(index));
  service.cluster_ips = {"10." + std::to_string(96 + index / 65536) + "." + std::to_string(index / 256 % 256) + "." +
                         std::to_string(index % 256)};
  config::ServicePort port;
  port.name = "http";
  port.port = 80;
  service.ports.push_back(port);
  return share(service);
}

std::string endpoint_address(int index, int endpoint) {
  const int number = index * kEndpoints + endpoint;
  return "10." + std::to_string(128 + number / 65536) + "." + std::to_string(number / 256 % 256) + "." +
         std::to_string(number % 256);
}

config::ObjectPtr make_slice(int index, int ready) {
  auto slice = named<config::EndpointSlice>(config::Kind::kEndpointSlice, service_name(index));
  slice.service_name = slice.meta.name;
  slice.address_type = "IPv4";
  slice.ports.push_back({"http", 8080, "TCP", ""});
  for (int i = 0; i < kEndpoints; ++i) {
    config::EndpointAddress endpoint;
    endpoint.addresses = {endpoint_address(index, i)};
    endpoint.ready = i < ready;
    endpoint.pod_namespace = slice.meta.namespace_;
    endpoint.pod_name = slice.meta.name + "-" + std::to_string(i);
    slice.endpoints.push_back(endpoint);
  }
  return share(slice);
}

config::ObjectPtr make_pod(int index, int endpoint) {
  auto pod = named<config::Pod>(config::Kind::kPod, service_name(index));
  pod.meta.name += "-" + std::to_string(endpoint);
  pod.meta.labels = {{"app", service_name(index)}, {"version", endpoint % 2 == 0 ? "v1" : "v2"}};
  pod.ips = {endpoint_address(index, endpoint)};
  pod.phase = "Running";
  return share(pod);
}

config::ObjectPtr make_destination_rule(int index, const char* version = "v2") {
  auto rule = named<config::DestinationRule>(config::Kind::kDestinationRule, service_name(index));
  rule.host.value = rule.meta.name;
  for (const char* name : {"v1", "v2"}) {
    config::Subset subset;
    subset.name.value = name;
    subset.labels = {{"version", std::string_view(name) == "v1" ? "v1" : version}};
    rule.subsets.push_back(subset);
  }
  return share(rule);
}

config::ObjectPtr make_rule(int index, uint32_t weight) {
  auto rule = named<config::VirtualService>(config::Kind::kVirtualService, service_name(index));
  rule.hosts.push_back({rule.meta.name, {}});
  config::HttpRoute route;
  for (const char* subset : {"v1", "v2"}) {
    config::WeightedDestination entry;
    entry.destination.host.value = rule.meta.name;
    entry.destination.subset.value = subset;
    entry.weight = config::Located<uint32_t>{std::string_view(subset) == "v1" ? weight : 100 - weight, {}};
    route.route.push_back(entry);
  }
  rule.http.push_back(route);
  return share(rule);
}

const config::Delta& everything() {
  static const config::Delta delta = [] {
    config::Delta all;
    for (int i = 0; i < kServices; ++i) {
      all.added.push_back(make_service(i));
      all.added.push_back(make_slice(i, kEndpoints));
      all.added.push_back(make_destination_rule(i));
      all.added.push_back(make_rule(i, 90));
      for (int j = 0; j < kEndpoints; ++j) all.added.push_back(make_pod(i, j));
    }
    return all;
  }();
  return delta;
}

void full_build(benchmark::State& state) {
  const config::Delta& all = everything();
  for (auto _ : state) {
    auto builder = std::make_unique<TableBuilder>(BuildOptions{});
    auto table = builder->update({}, all);
    benchmark::DoNotOptimize(table);
    state.PauseTiming();  // an agent builds from nothing once, and never takes a builder down
    if (table->plan->services.size() != static_cast<size_t>(kServices))
      state.SkipWithError("not every service is planned");
    table.reset();
    builder.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(full_build)->Unit(benchmark::kMillisecond);

/// Swaps objects of the service in the middle for `make(round)`'s, round after round, with the last two tables alive as
/// the agent has them.
template <class Make>
void one_change(benchmark::State& state, config::ObjectPtr first, Make make) {
  TableBuilder builder({});
  auto table = builder.update({}, everything());
  config::ObjectPtr current;
  for (const config::ObjectPtr& object : everything().added)
    if (object->index() == first->index() && config::metadata(*object).name == config::metadata(*first).name)
      current = object;
  uint32_t round = 0;
  for (auto _ : state) {
    state.PauseTiming();
    config::Delta delta;
    delta.removed.push_back(current);
    delta.added.push_back(current = make(++round));
    state.ResumeTiming();
    table = builder.update({}, delta);
    benchmark::DoNotOptimize(table);
  }
}

void change_a_virtual_service(benchmark::State& state) {
  one_change(state, make_rule(kMiddle, 90), [](uint32_t round) { return make_rule(kMiddle, round % 100); });
}
void change_a_destination_rule(benchmark::State& state) {
  one_change(state, make_destination_rule(kMiddle),
             [](uint32_t round) { return make_destination_rule(kMiddle, round % 2 == 0 ? "v2" : "v1"); });
}
void change_an_endpoint_slice(benchmark::State& state) {
  one_change(state, make_slice(kMiddle, kEndpoints),
             [](uint32_t round) { return make_slice(kMiddle, static_cast<int>(round % kEndpoints)); });
}
void change_a_pod(benchmark::State& state) {
  one_change(state, make_pod(kMiddle, 3), [](uint32_t) { return make_pod(kMiddle, 3); });
}
BENCHMARK(change_a_virtual_service)->Unit(benchmark::kMicrosecond);
BENCHMARK(change_a_destination_rule)->Unit(benchmark::kMicrosecond);
BENCHMARK(change_an_endpoint_slice)->Unit(benchmark::kMicrosecond);
BENCHMARK(change_a_pod)->Unit(benchmark::kMicrosecond);

void resolve_a_request(benchmark::State& state) {
  TableBuilder builder({});
  const auto table = builder.update({}, everything());
  const Client client = *client_of_pod(*table, config::metadata(*make_pod(kMiddle, 3)).namespace_,
                                       "service-" + std::to_string(kMiddle) + "-3");
  for (auto _ : state) {
    const Service* service = find_service(*table, client, "service-" + std::to_string(kMiddle));
    const HttpRules rules = find_http_rules(*table, client, service->host, 80);
    auto destination =
        resolve_destination(*table, client, rules.rules[0].rule->destinations[0], 80, PortMeaning::kDialled);
    benchmark::DoNotOptimize(destination);
  }
}
BENCHMARK(resolve_a_request)->Unit(benchmark::kNanosecond);

}  // namespace
}  // namespace weir::routing
