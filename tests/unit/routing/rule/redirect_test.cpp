#include "routing/rule/redirect.h"

#include <gtest/gtest.h>

#include <functional>

namespace weir::routing {
namespace {

using Redirect = config::HttpRedirect;

struct Case {
  std::function<void(Redirect&)> write;
  const char *scheme, *host, *target;
  uint16_t port;
  const char* expected;
};

// istio-facts 18, 30 and the oracle's case "redirect-direct".
TEST(RedirectTest, LocationAsInTheOracle) {
  const Case cases[] = {
      {[](Redirect& r) { r.uri = "/new"; }, "http", "web:80", "/r1", 80, "http://web:80/new"},
      {[](Redirect& r) { r.uri = "/new"; }, "http", "web", "/r1?x=1", 80, "http://web/new?x=1"},
      {[](Redirect& r) { r.uri = "/new?y=2"; }, "http", "web", "/r2?x=1", 80, "http://web/new?y=2"},
      {[](Redirect& r) { r.authority = "new.example.com"; }, "http", "web:80", "/r3/a?x=1", 80,
       "http://new.example.com/r3/a?x=1"},
      {[](Redirect& r) { r.scheme = "https"; }, "http", "web", "/r5/a?x=1", 80, "https://web/r5/a?x=1"},
      {[](Redirect& r) { r.scheme = "https"; }, "http", "web:80", "/r5/a", 80, "https://web/r5/a"},
      {[](Redirect& r) { r.scheme = "https"; }, "http", "web:8080", "/r5/a", 8080, "https://web:8080/r5/a"},
      {[](Redirect& r) { r.scheme = "https"; }, "https", "web:443", "/", 443, "https://web:443/"},
      {[](Redirect& r) { r.scheme = "http"; }, "https", "web:443", "/", 443, "http://web/"},
      {[](Redirect& r) { r.scheme = "https", r.port = 8443; }, "http", "web:80", "/r6/a", 80, "https://web:8443/r6/a"},
      {[](Redirect& r) { r.scheme = "https", r.derive_port = Redirect::DerivePort::kFromProtocolDefault; }, "http",
       "web:80", "/r7/a", 80, "https://web/r7/a"},
      {[](Redirect& r) { r.authority = "new.example.com", r.derive_port = Redirect::DerivePort::kFromRequestPort; },
       "http", "web", "/r8/a", 80, "http://new.example.com/r8/a"},
      {[](Redirect& r) { r.authority = "new.example.com", r.derive_port = Redirect::DerivePort::kFromRequestPort; },
       "http", "web", "/r8/a", 8000, "http://new.example.com:8000/r8/a"},
      {[](Redirect& r) { r.uri = "%PREFIX()%/x"; }, "http", "web", "/old/y", 80, "http://web/%PREFIX()%/x"},
      {[](Redirect& r) { r.port = 8080; }, "http", "web:80", "/ra/b", 80, "http://web:8080/ra/b"},
      {[](Redirect& r) { r.port = 80; }, "http", "web:8080", "/ra/b", 8080, "http://web:8080/ra/b"},
      {[](Redirect& r) { r.port = 443, r.scheme = "https"; }, "http", "[::1]:80", "/", 80, "https://[::1]/"},
      {[](Redirect& r) { r.port = 8443; }, "http", "[fd00::1]", "/", 80, "http://[fd00::1]:8443/"},
  };
  for (const Case& test : cases) {
    Redirect redirect;
    test.write(redirect);
    RequestView request{"GET", test.scheme, test.host, {}, {}, {}, {}};
    request.set_target(test.target);
    EXPECT_EQ(redirect_location(redirect, request, nullptr, test.port), test.expected);
  }
}

TEST(RedirectTest, PrefixRewriteReplacesTheMatchedPrefix) {
  Redirect redirect;
  redirect.uri_prefix = "/nine";
  RequestView request{"GET", "http", "web", {}, {}, {}, {}};
  request.set_target("/r9x?a");
  const auto uri = StringMatcher::compile({config::StringMatch::Type::kPrefix, "/r9", {}});
  EXPECT_EQ(redirect_location(redirect, request, &*uri, 80), "http://web/ninex?a");
  EXPECT_EQ(redirect_location(redirect, request, nullptr, 80), "http://web/niner9x?a");
}

TEST(RedirectTest, CodesWithoutMeaningAre301) {
  Redirect redirect;
  for (const auto& [code, expected] :
       {std::pair(301, 301), {302, 302}, {303, 303}, {304, 301}, {307, 307}, {308, 308}, {399, 301}}) {
    redirect.code = static_cast<uint16_t>(code);
    EXPECT_EQ(redirect_status(redirect), expected);
  }
}

TEST(RedirectTest, HttpsRedirectKeepsAPortThatIsNotTheDefault) {
  RequestView request{"GET", "http", "redir.example.com:8082", {}, {}, {}, {}};
  request.set_target("/a");
  EXPECT_EQ(https_redirect_location(request), "https://redir.example.com:8082/a");
  request.authority = "redir.example.com:80";
  EXPECT_EQ(https_redirect_location(request), "https://redir.example.com/a");
}

}  // namespace
}  // namespace weir::routing
