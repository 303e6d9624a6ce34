// Explain, the kernel's plan and the proxy's routes give one answer: random configurations, clients and requests.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "config/store.h"
#include "proxy/route_compiler.h"
#include "random_config.h"
#include "routing/build/table_builder.h"
#include "routing/decide/explain.h"
#include "routing/rule/redirect.h"

namespace weir::proxy {
namespace {

using routing::Client;
using routing::Request;
using routing::Table;

/// What becomes of a request, by destination: its share, and who may get it.
class Answer {
 public:
  void add(const std::string& destination, double share, const std::vector<std::string>& endpoints) {
    Part& part = parts_[destination];
    part.share += share;
    part.endpoints = endpoints;
    std::sort(part.endpoints.begin(), part.endpoints.end());
  }
  void say(const std::string& what) { said_ = what; }
  /// `endpoints`: false where whoever was dialled gets it.
  [[nodiscard]] std::string text(bool endpoints) const {
    std::string text = said_;
    for (const auto& [name, part] : parts_) {
      text += " " + name + "=" + std::to_string(part.share);
      if (!endpoints) continue;
      for (const std::string& endpoint : part.endpoints) text += "," + endpoint;
    }
    return text;
  }

 private:
  struct Part {
    double share = 0;
    std::vector<std::string> endpoints;
  };
  std::string said_;
  std::map<std::string, Part> parts_;
};

std::string name_of(const std::string& host, uint16_t port, const std::string& subset) {
  return host + ":" + std::to_string(port) + "/" + subset;
}

Answer answer_of(const routing::Decision& decision) {
  using routing::Action;
  Answer answer;
  if (decision.action == Action::kRedirect) answer.say("redirect " + *decision.redirect);
  if (decision.action == Action::kDirectResponse) answer.say("answer " + std::to_string(*decision.status));
  if (decision.action == Action::kNoRoute) answer.say("nobody " + std::to_string(decision.status.value_or(0)));
  if (decision.action == Action::kDefault && decision.destinations.empty()) answer.say("passed");
  for (const auto& destination : decision.destinations) {
    std::vector<std::string> endpoints;
    for (const auto& endpoint : destination.endpoints) endpoints.push_back(to_string(endpoint.address, endpoint.port));
    answer.add(name_of(destination.host, destination.port, destination.subset), destination.share, endpoints);
  }
  return answer;
}

Answer answer_of(const routing::PlanSplit& split) {
  Answer answer;
  const auto shares = routing::shares(split);
  for (size_t i = 0; i < split.destinations.size(); ++i) {
    const routing::PlanDestination& destination = split.destinations[i];
    std::vector<std::string> endpoints;
    for (const auto& endpoint : destination.endpoints) endpoints.push_back(to_string(endpoint.address, endpoint.port));
    answer.add(name_of(destination.host, destination.port, destination.subset), shares[i], endpoints);
  }
  return answer;
}

/// `*to_dialled`: some of it goes to whoever was dialled.
Answer answer_of(const RouteList& list, const routing::RequestView& view, bool* to_dialled) {
  Answer answer;
  if (list.kind == RouteList::Kind::kRefused) answer.say("nobody 502");
  if (list.kind == RouteList::Kind::kPassthrough) answer.say("passed");
  if (list.kind != RouteList::Kind::kRules && list.kind != RouteList::Kind::kDefault) return answer;
  const MatchedRoute matched = find_route(list, view);
  if (matched.route == nullptr) {
    answer.say("nobody 404");
    return answer;
  }
  const Route& route = *matched.route;
  if (route.redirect != nullptr) {
    answer.say("redirect " + routing::redirect_location(*route.redirect, view, matched.uri, list.port));
  } else if (route.direct_response != nullptr) {
    answer.say("answer " + std::to_string(route.direct_response->status));
  } else {
    for (size_t i = 0; i < route.destinations.size() && route.split; ++i) {
      const Destination& destination = route.destinations[i];
      *to_dialled = *to_dialled || destination.to_dialled;
      std::vector<std::string> endpoints;
      for (const auto& endpoint : route.split->endpoints(i))
        endpoints.push_back(to_string(endpoint.address.address, endpoint.address.port));
      answer.add(name_of(destination.host, destination.port, destination.subset), route.split->share(i), endpoints);
    }
  }
  return answer;
}

class Agreement : public testing::TestWithParam<unsigned> {
 protected:
  /// A configuration of some files, built for a node where every pod is.
  void build() {
    config::Store store;
    for (unsigned i = 0; i < 60; ++i) {
      const unsigned number = random_.below(66);
      store.set(config::read_yaml(random_.file(number), "file" + std::to_string(number) + ".yaml"));
    }
    routing::TableBuilder builder({.all_services = GetParam() % 2 == 0});
    config::Delta delta;
    delta.added = store.objects();
    const auto table = builder.update(store.mesh(), delta);
    table->pods_at.for_each([&](std::string_view, const std::shared_ptr<const routing::Workload>& pod) {
      pods_.push_back({pod->namespace_, pod->name, pod->addresses.front()});
    });
    std::sort(pods_.begin(), pods_.end());
    builder.set_local_pods(pods_);
    table_ = builder.update(store.mesh(), {});
  }

  struct Asker {
    Client client;
    uint32_t source = 0;
  };
  /// A pod of the node, or a process of the node itself.
  Asker asker() {
    if (pods_.empty() || random_.below(4) == 0) return {};
    const routing::NodePod& pod = pods_[random_.below(static_cast<unsigned>(pods_.size()))];
    for (const routing::PlanSource& source : table_->plan->sources)
      if (source.pod == pod) return {routing::client_at(*table_, pod.address), source.id};
    return {routing::client_at(*table_, pod.address), 0};
  }

  Request request(const std::string& host, const IpAddress& address, uint16_t port, bool is_http) {
    static const char* const kPaths[] = {"/", "/a", "/a/b?q=1", "/b"};
    static const char* const kMethods[] = {"GET", "POST"};
    Request request;
    request.is_http = is_http;
    request.host = host;
    request.dial = "ip:" + address.to_string();
    request.port = port;
    request.path = kPaths[random_.below(4)];
    request.method = kMethods[random_.below(2)];
    if (random_.below(2) == 0) request.headers.emplace_back("x", random_.below(2) == 0 ? "a" : "b");
    return request;
  }

  /// The frontend that the kernel finds for the client: its own, else everybody's.
  std::pair<const routing::ServicePlan*, const routing::PlanFrontend*> frontend(const IpAddress& address, uint16_t port,
                                                                                uint32_t source) const {
    std::pair<const routing::ServicePlan*, const routing::PlanFrontend*> found{};
    for (const auto& plan : table_->plan->services) {
      for (const routing::PlanFrontend& entry : plan->frontends) {
        if (entry.address != address || entry.port != port) continue;
        if (entry.source == source || (entry.source == 0 && found.second == nullptr)) found = {plan.get(), &entry};
      }
    }
    return found;
  }

  void compare_kernel(const routing::Service& service, const routing::ServicePort& port, const IpAddress& address) {
    const Asker who = asker();
    const auto [plan, entry] = frontend(address, port.number, who.source);
    if (entry == nullptr || entry->proxied || plan->service != service.host) return;
    // Explain goes by the Host where HTTP is spoken: it means the dialled service where that is the client's own, too.
    const routing::Service* dialled = routing::find_service_by_address(*table_, who.client, address, port.number);
    if (dialled == nullptr || dialled != routing::find_service_by_host(*table_, who.client, service.host)) return;
    const routing::Protocol protocol = dialled->find_port(port.number)->protocol;
    const bool is_http = routing::is_http(protocol) || protocol == routing::Protocol::kAuto;
    const Request asked = request(service.host, address, port.number, is_http);
    const auto decision = routing::explain(*table_, who.client, asked);
    // Of a rule that leads to whoever was dialled, the kernel makes the service's own endpoints: they stand for its
    // address.
    for (const std::string& step : decision.steps)
      if (step.find("the dialled address gets it") != std::string::npos) return;
    ++compared_;
    EXPECT_EQ(answer_of(plan->splits[entry->split]).text(true), answer_of(decision).text(true))
        << "kernel and explain: " << describe(who.client, asked, decision) << "\n"
        << to_text(*table_->plan);
  }

  void compare_proxy(const routing::Service& service, const routing::ServicePort& port, const IpAddress& address) {
    static const char* const kHosts[] = {
        "web", "api.b", "web.a.svc.cluster.local", "e.example.com", "ghost.example.com", "nosuch.test"};
    const Asker who = asker();
    // For this client the address may be another service's, whose port is no HTTP.
    const routing::Service* dialled = routing::find_service_by_address(*table_, who.client, address, port.number);
    if (dialled == nullptr || !dialled->speaks_http(port.number)) return;
    const Request asked =
        request(random_.below(2) == 0 ? service.host : kHosts[random_.below(6)], address, port.number, true);
    std::vector<routing::HeaderField> fields;
    for (const auto& [name, value] : asked.headers) fields.push_back({name, value});
    routing::RequestView view{asked.method, "http", *asked.host, {}, {}, {}, fields};
    view.set_target(asked.path);
    const RouteCompiler compiler(table_, shared_);
    const Frontend place{{address, port.number}};
    const auto list = compiler.compile(who.client, place, compiler.choose(who.client, place, *asked.host));
    bool to_dialled = false;
    const Answer ours = answer_of(*list, view, &to_dialled);
    const auto decision = routing::explain(*table_, who.client, asked);
    ++compared_;
    EXPECT_EQ(ours.text(!to_dialled), answer_of(decision).text(!to_dialled))
        << "proxy and explain: " << describe(who.client, asked, decision);
  }

  static std::string describe(const Client& client, const Request& request, const routing::Decision& decision) {
    std::string text = client.namespace_ + " asks " + request.dial + ":" + std::to_string(request.port) + " host " +
                       *request.host + " " + request.method + " " + request.path +
                       (request.headers.empty() ? "" : " x: " + request.headers[0].second);
    for (const std::string& step : decision.steps) text += "\n  " + step;
    return text;
  }

  routing::RandomConfig random_{GetParam()};
  SharedState shared_{"node", 1};
  std::shared_ptr<const Table> table_;
  std::vector<routing::NodePod> pods_;
  int compared_ = 0;
};

TEST_P(Agreement, OneAnswer) {
  build();
  for (const routing::ServicePtr& service : table_->all_services()) {
    for (const IpAddress& address : service->addresses) {
      for (const routing::ServicePort& port : service->ports) {
        const Client nobody;
        if (routing::find_service_by_address(*table_, nobody, address, port.number) != service.get()) continue;
        for (int turn = 0; turn < 12; ++turn) {
          compare_kernel(*service, port, address);
          if (routing::is_http(port.protocol)) compare_proxy(*service, port, address);
          if (HasFailure()) return;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Agreement, testing::Range(0U, 300U));

}  // namespace
}  // namespace weir::proxy
