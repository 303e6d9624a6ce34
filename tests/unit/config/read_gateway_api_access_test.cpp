#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

constexpr const char* kVersion = "gateway.networking.k8s.io/v1";

TEST(ReadGatewayApiAccess, Cors) {
  test::check_specs(
      "HTTPRoute", "rules:\n- filters: [{type: CORS, cors: @}]",  // line 7, column 34
      {{"{}", ""},
       {"{allowOrigins: ['https://a.com', 'https://*.a.com:8443', 'http://*'], allowMethods: [GET, PUT], allowHeaders: "
        "[x-a], exposeHeaders: ['*', x-b], maxAge: 60, allowCredentials: true}",
        ""},
       {"{allowOrigins: ['*'], allowMethods: ['*'], allowHeaders: ['*']}", ""},
       {"{allowOrigins: [a.com]}", "7:50 Error IST0106 spec.rules[0].filters[0].cors.allowOrigins \"a.com\" is not an"},
       {"{allowOrigins: ['https://a.com/']}", "7:50 Error IST0106 spec.rules[0].filters[0].cors.allowOrigins"},
       {"{allowOrigins: ['https://a.*.com']}", "7:50 Error IST0106 spec.rules[0].filters[0].cors.allowOrigins"},
       {"{allowOrigins: ['https://a.com:x']}", "7:50 Error IST0106 spec.rules[0].filters[0].cors.allowOrigins"},
       {"{allowOrigins: ['*', 'https://a.com']}",
        "7:50 Error IST0106 spec.rules[0].filters[0].cors.allowOrigins cannot contain \"*\" alongside others"},
       {"{allowMethods: [get]}", "7:50 Error IST0106 spec.rules[0].filters[0].cors.allowMethods \"get\""},
       {"{allowHeaders: ['a b']}", "7:50 Error IST0106 spec.rules[0].filters[0].cors.allowHeaders \"a b\""},
       {"{exposeHeaders: [a, a]}",
        "7:54 Error IST0106 spec.rules[0].filters[0].cors.exposeHeaders \"a\" is given twice"},
       {"{maxAge: 0}", "7:43 Error IST0106 spec.rules[0].filters[0].cors.maxAge is 0"}},
      kVersion);
}

TEST(ReadGatewayApiAccess, ExternalAuth) {
  test::check_specs("HTTPRoute", "rules:\n- filters: [{type: ExternalAuth, externalAuth: @}]",  // line 7, column 50
                    {{"{protocol: HTTP, backendRef: {name: b, port: 80}, http: {path: /a, allowedHeaders: [x]}}", ""},
                     {"{protocol: GRPC, backendRef: {name: b, port: 80}, grpc: {}, forwardBody: {maxSize: 10}}", ""},
                     {"{backendRef: {name: b, port: 80}}",
                      "7:50 Error IST0106 spec.rules[0].filters[0].externalAuth.protocol is required"},
                     {"{protocol: HTTP, http: {}}",
                      "7:50 Error IST0106 spec.rules[0].filters[0].externalAuth.backendRef is required"},
                     {"{protocol: HTTP, backendRef: {name: b, port: 80}}",
                      "7:50 Error IST0106 http must be specified when protocol is set to \"HTTP\""},
                     {"{protocol: HTTP, backendRef: {name: b, port: 80}, http: {}, grpc: {}}",
                      "7:110 Error IST0106 protocol must be \"GRPC\" when grpc is set"},
                     {"{protocol: HTTP, backendRef: {name: b, port: 80}, http: {path: 'a b'}}",
                      "7:113 Error IST0106 spec.rules[0].filters[0].externalAuth.http.path \"a b\" is not a path"}},
                    kVersion);
}

}  // namespace
}  // namespace weir::config
