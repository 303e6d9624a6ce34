#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

constexpr const char* kVersion = "gateway.networking.k8s.io/v1";
constexpr const char* kListener = "gatewayClassName: weir\nlisteners: [@]";  // line 7, column 15

TEST(ReadGatewayApiGateway, Listeners) {
  test::check_specs(
      "Gateway", kListener,
      {{"{name: a, port: 80, protocol: HTTP}", ""},
       {"{name: a, port: 80, protocol: example.com/own}", ""},
       {"{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: s}]}}", ""},
       {"{name: a, port: 443, protocol: HTTPS, tls: {options: {example.com/a: b}}}", ""},
       {"{name: a, port: 443, protocol: TLS, tls: {mode: Passthrough}}", ""},
       {"{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {a: "
        "b}, matchExpressions: [{key: c, operator: In, values: [d]}, {key: e, operator: Exists}]}}, kinds: [{kind: "
        "HTTPRoute}]}}",
        ""},
       {"{port: 80, protocol: HTTP}", "7:15 Error IST0106 spec.listeners[0].name is required"},
       {"{name: A, port: 80, protocol: HTTP}", "7:22 Error IST0106 spec.listeners[0].name \"A\" must be lower-case"},
       {"{name: a, protocol: HTTP}", "7:15 Error IST0106 spec.listeners[0].port is required"},
       {"{name: a, port: 0, protocol: HTTP}", "7:31 Error IST0106 spec.listeners[0].port is 0"},
       {"{name: a, port: 80}", "7:15 Error IST0106 spec.listeners[0].protocol is required"},
       {"{name: a, port: 80, protocol: 'HT TP'}", "7:45 Error IST0106 spec.listeners[0].protocol \"HT TP\""},
       {"{name: a, port: 80, protocol: HTTP, hostname: '*'}", "7:61 Error IST0106 spec.listeners[0].hostname \"*\""},
       {"{name: a, port: 80, protocol: HTTP, tls: {mode: Passthrough}}",
        "7:56 Error IST0106 tls must not be specified for protocol HTTP"},
       {"{name: a, port: 80, protocol: UDP, hostname: a.com}",
        "7:60 Error IST0106 hostname must not be specified for protocol UDP"},
       {"{name: a, port: 80, protocol: TCP, tls: {mode: Passthrough}}",
        "7:55 Error IST0106 tls must not be specified for protocol TCP"},
       {"{name: a, port: 443, protocol: HTTPS, tls: {mode: Passthrough}}",
        "7:58 Error IST0106 tls mode must be Terminate for protocol HTTPS"},
       {"{name: a, port: 443, protocol: HTTPS}",
        "7:15 Warning IST0133 an HTTPS listener without tls has no certificate"},
       {"{name: a, port: 443, protocol: TLS}", "7:15 Error IST0106 tls mode must be set for protocol TLS"},
       {"{name: a, port: 443, protocol: TLS, tls: {mode: Terminate}}",
        "7:56 Error IST0106 certificateRefs or options must be specified when mode is Terminate"},
       {"{name: a, port: 443, protocol: TLS, tls: {mode: Open}}",
        "7:63 Error IST0106 spec.listeners[0].tls.mode has no choice \"Open\""},
       {"{name: a, port: 443, protocol: TLS, tls: {certificateRefs: [{kind: Secret}]}}",
        "7:75 Error IST0106 spec.listeners[0].tls.certificateRefs[0].name is required"},
       {"{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: None}}}",
        "7:86 Error IST0106 spec.listeners[0].allowedRoutes.namespaces.from has no choice \"None\""},
       {"{name: a, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{group: g}]}}",
        "7:75 Error IST0106 spec.listeners[0].allowedRoutes.kinds[0].kind is required"},
       {"{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {selector: {matchExpressions: [{key: a, "
        "operator: Like}]}}}}",
        "7:129 Error IST0106 spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].operator has no "
        "choice"},
       {"{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {selector: {matchExpressions: [{key: a, "
        "operator: In}]}}}}",
        "7:110 Error IST0106 "
        "spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].values is required"},
       {"{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {selector: {matchExpressions: [{key: a, "
        "operator: Exists, values: [b]}]}}}}",
        "7:137 Error IST0106 "
        "spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].values must be empty"},
       {"{name: a, port: 80, protocol: HTTP}, {name: a, port: 81, protocol: HTTP}",
        "7:59 Error IST0106 listener name \"a\" must be unique within the Gateway"},
       {"{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}",
        "7:52 Error IST0106 combination of port, protocol and hostname must be unique for each listener"}},
      kVersion);
}

TEST(ReadGatewayApiGateway, TheRestOfAGateway) {
  test::check_specs(
      "Gateway", "listeners: [{name: a, port: 80, protocol: HTTP}]\n@",  // line 7, column 3
      {{"gatewayClassName: weir\naddresses: [{value: 10.0.0.1}, {type: Hostname, value: a.com}, {type: IPAddress}]",
        ""},
       {"gatewayClassName: weir\nallowedListeners: {namespaces: {from: None}}", ""},
       {"gatewayClassName: weir\ndefaultScope: All", ""},
       {"gatewayClassName: weir\ninfrastructure: {labels: {a: b}, annotations: {c.d/e: f}, parametersRef: {group: g, "
        "kind: "
        "K, name: n}}",
        ""},
       {"gatewayClassName: weir\ntls: {frontend: {default: {validation: {caCertificateRefs: [{group: '', kind: "
        "ConfigMap, name: n}]}}, perPort: [{port: 443, tls: {}}]}, backend: {clientCertificateRef: {name: s}}}",
        ""},
       {"", "6:3 Error IST0106 spec.gatewayClassName is required"},
       {"gatewayClassName: weir\naddresses: [{value: a.b}]", "8:23 Error IST0106 address \"a.b\" is not an IP address"},
       {"gatewayClassName: weir\naddresses: [{type: Hostname, value: A}]",
        "8:39 Error IST0106 address \"A\" is not a host"},
       {"gatewayClassName: weir\naddresses: [{type: Phone}]", "8:22 Error IST0106 spec.addresses[0].type \"Phone\""},
       {"gatewayClassName: weir\naddresses: [{value: 10.0.0.1}, {value: 10.0.0.1}]",
        "8:42 Error IST0106 address \"10.0.0.1\" is given twice"},
       {"gatewayClassName: weir\ndefaultScope: Some", "8:17 Error IST0106 spec.defaultScope has no choice"},
       {"gatewayClassName: weir\ninfrastructure: {labels: {a b: c}}", "8:20 Error IST0106 label \"a b\" has a bad key"},
       {"gatewayClassName: weir\ninfrastructure: {parametersRef: {kind: K, name: n}}",
        "8:35 Error IST0106 spec.infrastructure.parametersRef.group is required"},
       {"gatewayClassName: weir\ntls: {frontend: {perPort: []}}",
        "8:19 Error IST0106 spec.tls.frontend.default is required"},
       {"gatewayClassName: weir\ntls: {frontend: {default: {}, perPort: [{port: 1, tls: {}}, {port: 1, tls: {}}]}}",
        "8:64 Error IST0106 port for TLS configuration must be unique within the Gateway"},
       {"gatewayClassName: weir\nlisten: []", "8:3 Warning IST0133 unknown field \"spec.listen\""}},
      kVersion);
}

TEST(ReadGatewayApiGateway, GatewaysWithoutListeners) {
  test::check_specs("Gateway", "gatewayClassName: weir\n@",
                    {{"", "6:3 Error IST0106 spec.listeners is required"},
                     {"listeners: []", "7:3 Error IST0106 spec.listeners must not be empty"},
                     {"listeners: {}", "7:14 Error IST0106 spec.listeners must be a list"}},
                    kVersion);
}

TEST(ReadGatewayApiGateway, ClassesAndListenerSets) {
  test::check_specs(
      "GatewayClass", "@",
      {{"controllerName: weir.dev/gateway-controller", ""},
       {"controllerName: a.b/c\nparametersRef: {group: '', kind: ConfigMap, name: n, namespace: m}", ""},
       {"controllerName: weir", "6:19 Error IST0106 spec.controllerName \"weir\" is not a controller's name"},
       {"controllerName: weir.dev/", "6:19 Error IST0106 spec.controllerName \"weir.dev/\""},
       {"controllerName: ''", "6:19 Error IST0106 spec.controllerName is required"},
       {"controllerName: a.b/c\ndescription: " + std::string(65, 'a'),
        "7:16 Error IST0106 spec.description is longer"}},
      kVersion);
  test::check_specs("ListenerSet", "@",
                    {{"parentRef: {name: g}\nlisteners: [{name: a, port: 80, protocol: HTTP}]",
                      "1:1 Warning WEIR0230 ListenerSet is not honoured"}},
                    kVersion);
}

TEST(ReadGatewayApiGateway, EveryFieldIsKept) {
  const auto gateway = test::only<gateway_api::Gateway>(
      test::object(kVersion, "Gateway",
                   "gatewayClassName: weir\ndefaultScope: All\naddresses: [{type: Hostname, value: a.com}]\n"
                   "infrastructure: {labels: {a: b}, annotations: {c: d}}\n"
                   "allowedListeners: {namespaces: {from: Selector, selector: {matchLabels: {e: f}}}}\n"
                   "listeners:\n- name: web\n  hostname: '*.a.com'\n  port: 443\n  protocol: TLS\n"
                   "  tls: {mode: Terminate, certificateRefs: [{name: s, namespace: n}], options: {g.h/i: j}}\n"
                   "  allowedRoutes: {namespaces: {from: All}, kinds: [{kind: TLSRoute}]}\n"));
  EXPECT_EQ(gateway.gateway_class_name.value, "weir");
  EXPECT_EQ(gateway.default_scope, "All");
  ASSERT_EQ(gateway.addresses.size(), 1U);
  EXPECT_EQ(gateway.addresses[0].type + " " + gateway.addresses[0].value, "Hostname a.com");
  ASSERT_TRUE(gateway.infrastructure);
  EXPECT_EQ(gateway.infrastructure->labels, (Labels{{"a", "b"}}));
  EXPECT_EQ(gateway.infrastructure->annotations, (Labels{{"c", "d"}}));
  EXPECT_EQ(gateway.allowed_listeners.from, gateway_api::AllowedRoutes::From::kSelector);
  ASSERT_TRUE(gateway.allowed_listeners.selector);
  EXPECT_EQ(gateway.allowed_listeners.selector->match_labels, (Labels{{"e", "f"}}));
  ASSERT_EQ(gateway.listeners.size(), 1U);
  const gateway_api::Listener& listener = gateway.listeners[0];
  EXPECT_EQ(listener.hostname.value, "*.a.com");
  EXPECT_EQ(listener.port.value, 443);
  EXPECT_EQ(listener.port.at, (Position{14, 11}));
  ASSERT_TRUE(listener.tls);
  ASSERT_EQ(listener.tls->certificate_refs.size(), 1U);
  EXPECT_EQ(listener.tls->certificate_refs[0].kind, "Secret");
  EXPECT_EQ(listener.tls->certificate_refs[0].namespace_, "n");
  EXPECT_EQ(listener.tls->options, (Labels{{"g.h/i", "j"}}));
  EXPECT_EQ(listener.allowed_routes.from, gateway_api::AllowedRoutes::From::kAll);
  ASSERT_EQ(listener.allowed_routes.kinds.size(), 1U);
  EXPECT_EQ(listener.allowed_routes.kinds[0].group, gateway_api::kGroup);
}

}  // namespace
}  // namespace weir::config
