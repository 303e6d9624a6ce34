#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

constexpr const char* kVersion = "gateway.networking.k8s.io/v1";
constexpr const char* kFilters = "rules:\n- filters: [@]";  // line 7, column 15

TEST(ReadGatewayApiFilters, TypeAndFieldBelongTogether) {
  test::check_specs(
      "HTTPRoute", kFilters,
      {{"{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}], remove: [c]}}", ""},
       {"{type: ExtensionRef, extensionRef: {group: a.b, kind: C, name: d}}", ""},
       {"{}", "7:15 Error IST0106 spec.rules[0].filters[0].type is required"},
       {"{type: Header}", "7:22 Error IST0106 spec.rules[0].filters[0].type has no choice \"Header\""},
       {"{type: RequestHeaderModifier}",
        "7:15 Error IST0106 spec.rules[0].filters[0].requestHeaderModifier must be specified for a filter of type"},
       {"{type: RequestHeaderModifier, requestHeaderModifier: {}, urlRewrite: {}}",
        "7:72 Error IST0106 spec.rules[0].filters[0].urlRewrite must not be there: the filter's type is "
        "RequestHeaderModifier"},
       {"{type: RequestHeaderModifier, requestHeaderModifier: {}}, {type: RequestHeaderModifier, "
        "requestHeaderModifier: {}}",
        "7:5 Error IST0106 RequestHeaderModifier filter cannot be repeated"},
       {"{type: RequestRedirect, requestRedirect: {}}, {type: URLRewrite, urlRewrite: {}}",
        "7:5 Error IST0106 may specify either a RequestRedirect or a URLRewrite filter, but not both"},
       {"{type: ExtensionRef, extensionRef: {kind: C, name: d}}",
        "7:50 Error IST0106 spec.rules[0].filters[0].extensionRef.group is required"}},
      kVersion);
  test::check_specs("GRPCRoute", kFilters,
                    {{"{type: RequestMirror, requestMirror: {backendRef: {name: b, port: 80}}}", ""},
                     {"{type: URLRewrite, urlRewrite: {}}", "7:22 Error IST0106 spec.rules[0].filters[0].type has no"}},
                    kVersion);
}

TEST(ReadGatewayApiFilters, Headers) {
  test::check_specs(
      "HTTPRoute", "rules:\n- filters: [{type: ResponseHeaderModifier, responseHeaderModifier: @}]",  // line 7, col. 70
      {{"{add: [{name: a, value: b}], set: [{name: a, value: c}]}", ""},
       {"{add: [{name: a, value: b}, {name: a, value: c}]}",
        "7:99 Error IST0106 spec.rules[0].filters[0].responseHeaderModifier.add[1].name \"a\" is given twice"},
       {"{add: [{name: a}]}",
        "7:77 Error IST0106 spec.rules[0].filters[0].responseHeaderModifier.add[0].value is required"},
       {"{set: [{name: 'a:', value: b}]}", "7:84 Error IST0106 name \"a:\" is not a header name"},
       {"{remove: [a, a]}",
        "7:83 Error IST0106 spec.rules[0].filters[0].responseHeaderModifier.remove \"a\" is given twice"}},
      kVersion);
}

TEST(ReadGatewayApiFilters, RedirectsAndRewrites) {
  test::check_specs(
      "HTTPRoute", "rules:\n- filters: [{type: RequestRedirect, requestRedirect: @}]",  // line 7, column 56
      {{"{scheme: https, hostname: a.com, port: 8443, statusCode: 308, path: {type: ReplaceFullPath, replaceFullPath: "
        "/a}}",
        ""},
       {"{path: {type: ReplacePrefixMatch, replacePrefixMatch: ''}}", ""},
       {"{scheme: ftp}", "7:65 Error IST0106 spec.rules[0].filters[0].requestRedirect.scheme has no choice"},
       {"{hostname: '*.a'}", "7:67 Error IST0106 spec.rules[0].filters[0].requestRedirect.hostname \"*.a\""},
       {"{statusCode: 304}",
        "7:69 Error IST0106 spec.rules[0].filters[0].requestRedirect.statusCode has no choice 304"},
       {"{port: 0}", "7:63 Error IST0106 spec.rules[0].filters[0].requestRedirect.port is 0"},
       {"{path: {replaceFullPath: /a}}",
        "7:63 Error IST0106 spec.rules[0].filters[0].requestRedirect.path.type is required"},
       {"{path: {type: ReplaceFullPath}}", "7:63 Error IST0106 replaceFullPath must be specified when type is set to"},
       {"{path: {type: ReplaceFullPath, replaceFullPath: /a, replacePrefixMatch: /b}}",
        "7:108 Error IST0106 type must be \"ReplacePrefixMatch\" when replacePrefixMatch is set"}},
      kVersion);
}

TEST(ReadGatewayApiFilters, Mirrors) {
  test::check_specs(
      "HTTPRoute", "rules:\n- filters: [{type: RequestMirror, requestMirror: @}]",  // line 7, column 52
      {{"{backendRef: {name: b, port: 80}}", ""},
       {"{backendRef: {name: b, port: 80}, percent: 0}", ""},
       {"{backendRef: {name: b, port: 80}, fraction: {numerator: 1, denominator: 3}}", ""},
       {"{}", "7:52 Error IST0106 spec.rules[0].filters[0].requestMirror.backendRef is required"},
       {"{backendRef: {name: b}}", "7:65 Error IST0106 spec.rules[0].filters[0].requestMirror.backendRef.port is"},
       {"{backendRef: {name: b, port: 80}, percent: 101}", "7:95 Error IST0106 "},
       {"{backendRef: {name: b, port: 80}, fraction: {numerator: 3, denominator: 2}}",
        "7:108 Error IST0106 numerator must be less than or equal to denominator"},
       {"{backendRef: {name: b, port: 80}, fraction: {denominator: 2}}",
        "7:96 Error IST0106 spec.rules[0].filters[0].requestMirror.fraction.numerator is required"},
       {"{backendRef: {name: b, port: 80}, percent: 1, fraction: {numerator: 1}}",
        "7:52 Error IST0106 only one of percent or fraction may be specified"}},
      kVersion);
  const auto share = [](const std::string& fields) {
    const auto route = test::only<gateway_api::HttpRoute>(test::object(
        kVersion, "HTTPRoute",
        "rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: b, port: 80}" + fields + "}}]}]"));
    const auto& mirror = route.rules.at(0).filters.at(0).mirror;
    return std::to_string(mirror->numerator) + "/" + std::to_string(mirror->denominator);
  };
  EXPECT_EQ(share(""), "100/100");
  EXPECT_EQ(share(", percent: 20"), "20/100");
  EXPECT_EQ(share(", fraction: {numerator: 7}"), "7/100");
  EXPECT_EQ(share(", fraction: {numerator: 1, denominator: 3}"), "1/3");
}

}  // namespace
}  // namespace weir::config
