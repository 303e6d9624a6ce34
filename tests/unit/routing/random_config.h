#pragma once
// Random configurations and edits of them, small enough that names collide: for tests that hold two ways of building
// against each other.

#include <random>
#include <string>

namespace weir::routing {

class RandomConfig {
 public:
  explicit RandomConfig(unsigned seed) : random_(seed) {}

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  /// The text of one file about a thing with a number; what kind of thing follows from the number.
  std::string file(unsigned number) {
    switch (number % 11) {
      case 0:
        return service(number);
      case 1:
        return slice(number);
      case 2:
        return pod(number);
      case 3:
        return virtual_service(number);
      case 4:
        return destination_rule(number);
      case 5:
        return service_entry(number);
      case 6:
        return delegate_or_workload(number);
      case 7:
        return route(number);
      case 8:
        return route(number) + route(number + 11);
      case 9:
        return grant_or_namespace(number) + gateway(number);
      default:
        return virtual_service(number) + destination_rule(number);
    }
  }

 private:
  std::string one_of(std::initializer_list<const char*> words) {
    return *(words.begin() + below(static_cast<unsigned>(words.size())));
  }
  std::string namespace_() { return one_of({"a", "b", "istio-system"}); }
  std::string name() { return one_of({"web", "api", "db"}); }
  std::string version() { return one_of({"v1", "v2", "v3"}); }
  std::string address() { return "10.1.0." + std::to_string(1 + below(12)); }
  std::string age() { return "creationTimestamp: '2024-01-0" + std::to_string(1 + below(9)) + "T00:00:00Z'"; }
  std::string header(const char* api, const char* kind, const std::string& object_name, const std::string& in,
                     const std::string& more = "") {
    return std::string("---\napiVersion: ") + api + "\nkind: " + kind + "\nmetadata: {name: " + object_name +
           ", namespace: " + in + ", " + age() + more + "}\n";
  }
  std::string host() {
    return one_of({"web", "api", "db", "web.a.svc.cluster.local", "api.b.svc.cluster.local", "e.example.com",
                   "'*.a.svc.cluster.local'", "'*.svc.cluster.local'", "ghost.example.com"});
  }
  std::string plain_host() {
    return one_of({"web", "api", "db", "web.a.svc.cluster.local", "e.example.com", "nosuch"});
  }
  std::string export_to() {
    return one_of({"", "", "", "  exportTo: ['.']\n", "  exportTo: [b]\n", "  exportTo: ['*']\n"});
  }

  std::string service(unsigned number) {
    const std::string ip = below(5) == 0 ? "None" : "10.0.0." + std::to_string(1 + number % 6);
    return header("v1", "Service", name(), namespace_(),
                  below(5) == 0 ? ", annotations: {networking.istio.io/exportTo: '.'}" : "") +
           "spec:\n  clusterIP: " + ip + "\n  ports: [{name: " + one_of({"http", "tcp", "x", "tls"}) + ", port: 80}" +
           (below(3) == 0 ? ", {name: http-b, port: 81}" : "") + "]\n";
  }
  std::string slice(unsigned number) {
    std::string text = header("discovery.k8s.io/v1", "EndpointSlice", "slice-" + std::to_string(number), namespace_(),
                              ", labels: {kubernetes.io/service-name: " + name() + "}") +
                       "addressType: IPv4\nports: [{name: " + one_of({"http", "tcp", "x"}) +
                       ", port: 8080, protocol: TCP}]\nendpoints:\n";
    for (unsigned i = 0; i < 1 + below(3); ++i)
      text += "- {addresses: [" + address() + "], conditions: {ready: " + one_of({"true", "true", "false"}) + "}" +
              (below(2) == 0 ? ", targetRef: {kind: Pod, namespace: " + namespace_() + ", name: pod-" +
                                   std::to_string(2 + 11 * below(5)) + "}"
                             : "") +
              "}\n";
    return text;
  }
  std::string pod(unsigned number) {
    return header("v1", "Pod", "pod-" + std::to_string(number), namespace_(),
                  ", labels: {app: " + name() + ", version: " + version() + "}") +
           "spec: {hostNetwork: " + one_of({"false", "false", "true"}) +
           "}\nstatus: {phase: " + one_of({"Running", "Succeeded"}) + ", podIP: " + address() +
           ", conditions: [{type: Ready, status: 'True'}]}\n";
  }
  std::string routes() {
    std::string text = "    route:\n";
    for (unsigned i = 0; i < 1 + below(2); ++i)
      text += "    - {destination: {host: " + plain_host() + (below(3) != 0 ? ", subset: " + version() : "") +
              "}, weight: " + std::to_string(1 + below(9)) + "}\n";
    return text;
  }
  std::string match() {
    return one_of({"", "", "    match: [{headers: {x: {exact: a}}}]\n", "    match: [{sourceLabels: {version: v1}}]\n",
                   "    match: [{sourceNamespace: b}]\n", "    match: [{port: 81}]\n"});
  }
  std::string virtual_service(unsigned number) {
    std::string text =
        header("networking.istio.io/v1", "VirtualService", "rule-" + std::to_string(number), namespace_()) +
        "spec:\n  hosts: [" + host() + "]\n" + export_to() + "  http:\n";
    for (unsigned i = 0; i < 1 + below(3); ++i) text += "  - name: r" + std::to_string(i) + "\n" + match() + routes();
    if (below(4) == 0) text += "  - delegate: {name: delegate, namespace: " + namespace_() + "}\n";
    if (below(3) == 0) text += "  tcp:\n  -" + routes().substr(3);
    return text;
  }
  std::string destination_rule(unsigned number) {
    std::string text =
        header("networking.istio.io/v1", "DestinationRule", "subsets-" + std::to_string(number), namespace_()) +
        "spec:\n  host: " + host() + "\n";
    text += below(6) == 0 ? "  workloadSelector: {matchLabels: {app: web}}\n" : export_to();
    return text + "  subsets: [{name: v1, labels: {version: " + version() + "}}, {name: v2, labels: {version: v2}}]\n";
  }
  std::string service_entry(unsigned number) {
    const bool selects = below(3) == 0;
    return header("networking.istio.io/v1", "ServiceEntry", "entry-" + std::to_string(number), namespace_()) +
           "spec:\n  hosts: [" + one_of({"e.example.com", "f.example.com", "web.a.svc.cluster.local"}) +
           "]\n  addresses: [10.0.0." + std::to_string(1 + below(8)) +
           "]\n  ports: [{number: 80, name: http, protocol: HTTP}]\n  resolution: STATIC\n" + export_to() +
           (selects ? "  workloadSelector: {labels: {app: web}}\n"
                    : "  endpoints: [{address: " + address() + ", labels: {version: " + version() + "}}]\n");
  }
  std::string delegate_or_workload(unsigned number) {
    if (number % 22 == 6)
      return header("networking.istio.io/v1", "VirtualService", "delegate", namespace_()) + "spec:\n" + export_to() +
             "  http:\n  - name: d\n" + routes();
    return header("networking.istio.io/v1", "WorkloadEntry", "vm-" + std::to_string(number), namespace_()) +
           "spec: {address: " + address() + ", labels: {app: web, version: " + version() + "}}\n";
  }

  std::string gateway(unsigned number) {
    return header("gateway.networking.k8s.io/v1", "Gateway", number % 2 == 0 ? "gw" : "gw2", namespace_()) +
           "spec:\n  gatewayClassName: weir\n  listeners:\n"
           "  - {name: any, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: " +
           one_of({"Same", "All", "Selector, selector: {matchLabels: {team: red}}"}) +
           "}}}\n  - {name: wild, port: 80, protocol: HTTP, hostname: '*.example.com'}\n"
           "  - {name: bytes, port: 90, protocol: TCP}\n";
  }
  std::string grant_or_namespace(unsigned number) {
    if (number % 2 == 0)
      return "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " + namespace_() +
             ", labels: {team: " + one_of({"red", "blue"}) + "}}\n";
    return header("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", "grant-" + std::to_string(number),
                  namespace_()) +
           "spec:\n  from: [{group: gateway.networking.k8s.io, kind: " + one_of({"HTTPRoute", "TCPRoute"}) +
           ", namespace: " + namespace_() + "}]\n  to: [{group: '', kind: Service}]\n";
  }
  std::string parents() {
    std::string text = "  parentRefs:\n";
    for (unsigned i = 0; i < 1 + below(2); ++i)
      text += one_of({"  - {name: gw, namespace: ", "  - {name: gw, sectionName: wild, namespace: ",
                      "  - {group: '', kind: Service, name: web, namespace: ",
                      "  - {group: '', kind: Service, name: api, port: 80, namespace: "}) +
              namespace_() + "}\n";
    return text;
  }
  std::string backends() {
    std::string text = "    backendRefs:\n";
    for (unsigned i = 0; i < 1 + below(2); ++i)
      text += "    - {name: " + name() + ", port: " + one_of({"80", "80", "81"}) +
              ", weight: " + std::to_string(below(4)) + (below(3) == 0 ? ", namespace: " + namespace_() : "") + "}\n";
    return text;
  }
  std::string route(unsigned number) {
    const unsigned kind = below(4);
    const char* const kinds[] = {"HTTPRoute", "HTTPRoute", "GRPCRoute", "TCPRoute"};
    const bool http = kind < 2;
    std::string text = header(kind == 3 ? "gateway.networking.k8s.io/v1alpha2" : "gateway.networking.k8s.io/v1",
                              kinds[kind], "route-" + std::to_string(number), namespace_()) +
                       "spec:\n" + parents();
    if (kind != 3) text += one_of({"", "", "  hostnames: [a.example.com]\n", "  hostnames: ['*.example.com']\n"});
    text += "  rules:\n  -" + backends().substr(3);
    if (http)
      text += one_of({"", "    matches: [{path: {value: /a}}, {headers: [{name: x, value: a}]}]\n",
                      "    matches: [{path: {type: Exact, value: /b}}]\n"});
    return text;
  }

  std::mt19937 random_;
};

}  // namespace weir::routing
