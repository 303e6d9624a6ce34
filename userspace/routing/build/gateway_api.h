#pragma once
// The Gateway API's objects of a configuration, and what they come to: gateways, and rule sets of all routes that hang
// on one place (semantics 2). Keeps what it made, so that a change costs what it touches.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/diagnostic.h"
#include "config/model.h"
#include "routing/build/objects.h"
#include "routing/build/route_parents.h"
#include "routing/build/route_rules.h"
#include "routing/table.h"

namespace weir::routing {

class GatewayApi {
 public:
  /// Objects of other kinds are nothing to it.
  void file(const config::ObjectPtr& object, bool add);
  /// A Namespace's labels may let its routes hang on listeners.
  void file_namespace(const config::ObjectPtr& object, bool add);
  /// A Kubernetes Service of that host came, went, or got other ports.
  void touch_service(const std::string& host);

  /// What is different since the last call. Null in a pair: none.
  struct Changes {
    std::vector<std::pair<RuleSetPtr, RuleSetPtr>> rules;  // before, after
    std::vector<std::pair<std::string, std::shared_ptr<const Gateway>>> gateways;
    std::vector<std::pair<std::string, std::shared_ptr<const RouteStatus>>> status;
    std::vector<std::pair<std::string, config::Diagnostics>> conditions;  // by group
  };
  /// `table`: with the Services as they are now.
  Changes update(const Table& table);

 private:
  using Keys = std::set<std::string, std::less<>>;
  struct CompiledRoute {
    config::ObjectPtr object;
    std::vector<RankedRule> http;
    std::vector<L4Rule> l4;
    std::vector<RoutePlace> places;
    std::vector<std::string> hostnames;
    std::set<std::string> service_hosts;
  };
  /// A place without its port: rules for one port and for all are one list.
  struct Target {
    std::string where, host, only_for;
    auto operator<=>(const Target&) const = default;
  };
  static Target target_of(const RoutePlace& place) { return {place.where, place.host, place.only_for}; }

  void compile_gateways(Changes& changes);
  [[nodiscard]] RouteParents compile_parts(RouteContext& context, CompiledRoute& route) const;
  void compile_route(const Table& table, const std::string& key, Changes& changes);
  void drop_route(const std::string& key);
  void assemble(const Target& target, Changes& changes);

  ObjectIndex gateways_;            // by "namespace/name"
  ObjectIndex routes_;              // by "HTTPRoute/namespace/name"
  ObjectIndex grants_;              // by namespace
  Keys gateway_keys_, route_keys_;  // that there are
  ObjectIndex namespace_objects_;   // by name
  NamespaceLabels namespaces_;

  Keys dirty_routes_;
  bool dirty_gateways_ = false, all_routes_ = false;

  RouteListeners listeners_;
  Keys served_;  // bindings of the gateways that were published
  std::map<std::string, CompiledRoute, std::less<>> compiled_;
  std::map<std::string, Keys, std::less<>> routes_of_service_;  // host -> route keys
  std::map<Target, Keys> routes_at_;
  std::map<Target, RuleSetPtr> sets_;
  std::set<Target> dirty_targets_;
};

}  // namespace weir::routing
