// A request and its answer on connections that are open allocate nothing: neither for plain routes, nor for routes that
// match headers or change them to fixed values. A program of its own, because it counts every allocation of the
// process.

#include <cstdlib>
#include <new>

#include "proxy_fixture.h"

namespace {
bool counting = false;
size_t allocations = 0;
}  // namespace

// Not inlined, or GCC takes the free() of one for a mismatch with the other.
__attribute__((noinline)) void* operator new(size_t size) {
  if (counting) ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
__attribute__((noinline)) void operator delete(void* memory) noexcept {
  std::free(memory);
}
__attribute__((noinline)) void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace weir::proxy {
namespace {

class Allocation : public ProxyTest {
 protected:
  /// Plays `rounds` exchanges with plain sockets of fixed buffers; returns what the proxy allocated meanwhile.
  size_t count(std::string_view request, int rounds) {
    Peer& client = dial();
    // Connects to every endpoint; what connections keep between requests grows to the size that these need.
    for (int round = 0; round < kWarmUp; ++round) exchange(client, request);
    allocations = 0;
    counting = true;
    for (int round = 0; round < rounds; ++round) exchange(client, request);
    counting = false;
    return allocations;
  }

  void exchange(const Peer& client, std::string_view request) {
    char buffer[8192];
    ASSERT_EQ(client.send(request), request.size());
    size_t answered = 0;
    for (int turn = 0; turn < 100'000 && answered == 0; ++turn) {
      loop->run_once(milliseconds(0));
      for (const auto& origin : origins) {
        origin->accept();
        for (const auto& peer : origin->peers) {
          if (::recv(peer->fd(), buffer, sizeof buffer, MSG_DONTWAIT) > 0) peer->send(kAnswer);
        }
      }
      const ssize_t got = ::recv(client.fd(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) answered = static_cast<size_t>(got);
    }
    ASSERT_GT(answered, 0U);
  }

  static constexpr std::string_view kAnswer =
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\n"
      "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";
  static constexpr std::string_view kRequest =
      "GET /productpage?u=normal HTTP/1.1\r\nHost: web.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
      "Accept: text/html\r\nCookie: session=eyJ1c2VyIjoiamFzb24ifQ.ZkT0Xg.abcdefgh\r\nend-user: jason\r\n\r\n";
  static constexpr int kWarmUp = 30, kRounds = 200;
};
WEIR_BOTH_LOOPS(Allocation);

TEST_P(Allocation, APlainRouteAllocatesNothing) {
  start(kToV1);
  EXPECT_EQ(count(kRequest, kRounds), 0U);
}

TEST_P(Allocation, AWeightedSplitAllocatesNothing) {
  start(
      "  - route:\n    - {destination: {host: web.test, subset: v1}, weight: 90}\n"
      "    - {destination: {host: web.test, subset: v2}, weight: 10}\n");
  EXPECT_EQ(count(kRequest, kRounds), 0U);
}

TEST_P(Allocation, MatchingHeadersAllocatesNothing) {
  start(R"yaml(
  - match: [{headers: {end-user: {exact: nobody}}}, {uri: {prefix: /other}}, {queryParams: {u: {exact: x}}}]
    route: [{destination: {host: web.test, subset: v2}}]
  - match: [{headers: {cookie: {regex: ".*session=.*"}, end-user: {exact: jason}}}]
    route: [{destination: {host: web.test, subset: v1}}]
  - route: [{destination: {host: web.test, subset: v1}}]
)yaml");
  EXPECT_EQ(count(kRequest, kRounds), 0U);
}

TEST_P(Allocation, FixedHeaderOperationsAllocateNothing) {
  start(R"(
  - headers:
      request: {set: {x-version: one}, add: {x-added: two}, remove: [cookie]}
      response: {set: {x-served-by: a-rather-long-name-of-a-version}, remove: [server]}
    route: [{destination: {host: web.test, subset: v1}}]
)");
  EXPECT_EQ(count(kRequest, kRounds), 0U);
}

TEST_P(Allocation, AStickyKeyAllocatesNothing) {
  annotations = ", annotations: {\"weir.dev/sticky\": \"header:end-user\"}";
  start(
      "  - route:\n    - {destination: {host: web.test, subset: v1}, weight: 50}\n"
      "    - {destination: {host: web.test, subset: v2}, weight: 50}\n");
  EXPECT_EQ(count(kRequest, kRounds), 0U);
}

TEST(AllocationCount, IsCounted) {
  allocations = 0;
  counting = true;
  const auto something = std::make_unique<int>(1);
  counting = false;
  EXPECT_EQ(allocations, 1U);
  EXPECT_EQ(*something, 1);
}

}  // namespace
}  // namespace weir::proxy
