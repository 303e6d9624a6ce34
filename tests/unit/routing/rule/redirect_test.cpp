#include "routing/rule/redirect.h"

#include <gtest/gtest.h>

#include <functional>

namespace weir::routing {
namespace {

using Written = config::HttpRedirect;

struct Case {
  std::function<void(Written&)> write;
  const char *scheme, *host, *target;
  uint16_t port;
  const char* expected;
};

// istio-facts 18, 30 and the oracle's case "redirect-direct".
TEST(RedirectTest, LocationAsInTheOracle) {
  const Case cases[] = {
      {[](Written& r) { r.uri = "/new"; }, "http", "web:80", "/r1", 80, "http://web:80/new"},
      {[](Written& r) { r.uri = "/new"; }, "http", "web", "/r1?x=1", 80, "http://web/new?x=1"},
      {[](Written& r) { r.uri = "/new?y=2"; }, "http", "web", "/r2?x=1", 80, "http://web/new?y=2"},
      {[](Written& r) { r.authority = "new.example.com"; }, "http", "web:80", "/r3/a?x=1", 80,
       "http://new.example.com/r3/a?x=1"},
      {[](Written& r) { r.scheme = "https"; }, "http", "web", "/r5/a?x=1", 80, "https://web/r5/a?x=1"},
      {[](Written& r) { r.scheme = "https"; }, "http", "web:80", "/r5/a", 80, "https://web/r5/a"},
      {[](Written& r) { r.scheme = "https"; }, "http", "web:8080", "/r5/a", 8080, "https://web:8080/r5/a"},
      {[](Written& r) { r.scheme = "https"; }, "https", "web:443", "/", 443, "https://web:443/"},
      {[](Written& r) { r.scheme = "http"; }, "https", "web:443", "/", 443, "http://web/"},
      {[](Written& r) { r.scheme = "https", r.port = 8443; }, "http", "web:80", "/r6/a", 80, "https://web:8443/r6/a"},
      {[](Written& r) { r.scheme = "https", r.derive_port = Written::DerivePort::kFromProtocolDefault; }, "http",
       "web:80", "/r7/a", 80, "https://web/r7/a"},
      {[](Written& r) { r.authority = "new.example.com", r.derive_port = Written::DerivePort::kFromRequestPort; },
       "http", "web", "/r8/a", 80, "http://new.example.com/r8/a"},
      {[](Written& r) { r.authority = "new.example.com", r.derive_port = Written::DerivePort::kFromRequestPort; },
       "http", "web", "/r8/a", 8000, "http://new.example.com:8000/r8/a"},
      {[](Written& r) { r.uri = "%PREFIX()%/x"; }, "http", "web", "/old/y", 80, "http://web/%PREFIX()%/x"},
      {[](Written& r) { r.port = 8080; }, "http", "web:80", "/ra/b", 80, "http://web:8080/ra/b"},
      {[](Written& r) { r.port = 80; }, "http", "web:8080", "/ra/b", 8080, "http://web:8080/ra/b"},
      {[](Written& r) { r.port = 443, r.scheme = "https"; }, "http", "[::1]:80", "/", 80, "https://[::1]/"},
      {[](Written& r) { r.port = 8443; }, "http", "[fd00::1]", "/", 80, "http://[fd00::1]:8443/"},
  };
  for (const Case& test : cases) {
    Written redirect;
    test.write(redirect);
    RequestView request{"GET", test.scheme, test.host, {}, {}, {}, {}};
    request.set_target(test.target);
    EXPECT_EQ(redirect_location(redirect_of(redirect), request, nullptr, test.port), test.expected);
  }
}

TEST(RedirectTest, PrefixRewriteReplacesTheMatchedPrefix) {
  Written redirect;
  redirect.uri_prefix = "/nine";
  RequestView request{"GET", "http", "web", {}, {}, {}, {}};
  request.set_target("/r9x?a");
  const auto uri = StringMatcher::compile({config::StringMatch::Type::kPrefix, "/r9", {}});
  EXPECT_EQ(redirect_location(redirect_of(redirect), request, &*uri, 80), "http://web/ninex?a");
  EXPECT_EQ(redirect_location(redirect_of(redirect), request, nullptr, 80), "http://web/niner9x?a");
}

TEST(RedirectTest, CodesWithoutMeaningAre301) {
  Written redirect;
  for (const auto& [code, expected] :
       {std::pair(301, 301), {302, 302}, {303, 303}, {304, 301}, {307, 307}, {308, 308}, {399, 301}}) {
    redirect.code = static_cast<uint16_t>(code);
    EXPECT_EQ(redirect_of(redirect).status, expected);
  }
}

TEST(RedirectTest, HttpsRedirectKeepsAPortThatIsNotTheDefault) {
  RequestView request{"GET", "http", "redir.example.com:8082", {}, {}, {}, {}};
  request.set_target("/a");
  EXPECT_EQ(https_redirect_location(request), "https://redir.example.com:8082/a");
  request.authority = "redir.example.com:80";
  EXPECT_EQ(https_redirect_location(request), "https://redir.example.com/a");
}

// An empty prefixRewrite is none, as in Envoy: it was taken for "cut the prefix off".
TEST(RedirectTest, AnEmptyPrefixRewriteChangesNothing) {
  Written written;
  written.authority = "other.example.com";
  written.uri_prefix = "";
  RequestView request{"GET", "http", "web", {}, {}, {}, {}};
  request.set_target("/old/a");
  const auto uri = StringMatcher::compile({config::StringMatch::Type::kPrefix, "/old", {}});
  EXPECT_EQ(redirect_location(redirect_of(written), request, &*uri, 80), "http://other.example.com/old/a");
}

// Gateway API: the listener's port where no scheme is given, the scheme's where one is; the Host's never counts.
TEST(RedirectTest, PortsOfTheGatewayApi) {
  RequestView request{"GET", "http", "web:9999", {}, {}, {}, {}};
  request.set_target("/a");
  Redirect redirect;
  redirect.port_from = Redirect::Port::kGatewayApi;
  EXPECT_EQ(redirect_location(redirect, request, nullptr, 80), "http://web/a");
  EXPECT_EQ(redirect_location(redirect, request, nullptr, 8080), "http://web:8080/a");
  redirect.scheme = "https";
  EXPECT_EQ(redirect_location(redirect, request, nullptr, 8080), "https://web/a");
  redirect.port = 8443;
  EXPECT_EQ(redirect_location(redirect, request, nullptr, 8080), "https://web:8443/a");
  redirect.authority = "other.example.com";
  redirect.port = 443;
  EXPECT_EQ(redirect_location(redirect, request, nullptr, 8080), "https://other.example.com/a");
}

TEST(RedirectTest, APrefixIsReplacedByWholeSegments) {
  const auto location = [](const char* prefix, const char* matched, const char* target) {
    Redirect redirect;
    redirect.prefix = prefix;
    redirect.by_segment = true;
    RequestView request{"GET", "http", "web", {}, {}, {}, {}};
    request.set_target(target);
    const auto uri = StringMatcher::path_prefix(matched);
    return redirect_location(redirect, request, &uri, 80);
  };
  EXPECT_EQ(location("/", "/old", "/old/x?q"), "http://web/x?q");
  EXPECT_EQ(location("/", "/old", "/old"), "http://web/");
  EXPECT_EQ(location("", "/old", "/old/x"), "http://web/x");
  EXPECT_EQ(location("/new/", "/old", "/old/x"), "http://web/new/x");
  EXPECT_EQ(location("/new", "/", "/x"), "http://web/new/x");
  EXPECT_EQ(location("/new", "/old", "/old/"), "http://web/new/");
}

}  // namespace
}  // namespace weir::routing
