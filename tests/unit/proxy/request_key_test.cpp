#include "proxy/request_key.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace weir::proxy {
namespace {

using Kind = KeySource::Kind;

TEST(RequestKey, TheAnnotationsWords) {
  EXPECT_EQ(sticky_key("source-ip").kind, Kind::kClientAddress);
  EXPECT_EQ(sticky_key("header:X-User").kind, Kind::kHeader);
  EXPECT_EQ(sticky_key("header:X-User").name, "x-user");
  EXPECT_EQ(sticky_key("cookie:Session").name, "Session") << "cookie names have a case";
  EXPECT_EQ(sticky_key("query:u").kind, Kind::kQuery);
  for (const char* text : {"", "source", "header", "header:", "cookie:", "body:x", "Header:x"})
    EXPECT_EQ(sticky_key(text).kind, Kind::kNone) << text;
}

TEST(RequestKey, Cookies) {
  http::HeaderList headers;
  EXPECT_FALSE(find_cookie(headers, "a"));
  headers.add("cookie", "a=1; bb=two;c=\"quoted\" ; empty=; flag");
  headers.add("cookie", "late=3; a=9");
  EXPECT_EQ(find_cookie(headers, "a"), "1") << "the first";
  EXPECT_EQ(find_cookie(headers, "bb"), "two");
  EXPECT_EQ(find_cookie(headers, "c"), "quoted");
  EXPECT_EQ(find_cookie(headers, "empty"), "");
  EXPECT_EQ(find_cookie(headers, "flag"), "");
  EXPECT_EQ(find_cookie(headers, "late"), "3");
  EXPECT_FALSE(find_cookie(headers, "b"));
  EXPECT_FALSE(find_cookie(headers, "A"));
}

TEST(RequestKey, QueryParameters) {
  EXPECT_EQ(find_query_parameter("a=1&b=2&a=3", "a"), "1");
  EXPECT_EQ(find_query_parameter("a=1&b=2", "b"), "2");
  EXPECT_EQ(find_query_parameter("a%20=1", "a%20"), "1") << "nothing is decoded";
  EXPECT_EQ(find_query_parameter("a", "a"), "");
  EXPECT_FALSE(find_query_parameter("", "a"));
  EXPECT_FALSE(find_query_parameter("aa=1", "a"));
  EXPECT_FALSE(find_query_parameter("b=a", "a"));
}

TEST(RequestKey, EachKindFindsItsKey) {
  http::RequestHead head;
  head.authority = "web";
  head.query = "u=q";
  head.headers.add("x-user", "h");
  head.headers.add("cookie", "u=c");
  const auto key = [&](const char* text) { return key_of(sticky_key(text), head, "10.0.0.1"); };
  EXPECT_EQ(key("source-ip"), hash64("10.0.0.1"));
  EXPECT_EQ(key("header:X-User"), hash64("h"));
  EXPECT_EQ(key("header:host"), hash64("web"));
  EXPECT_EQ(key("cookie:u"), hash64("c"));
  EXPECT_EQ(key("query:u"), hash64("q"));
  EXPECT_FALSE(key("header:other"));
  EXPECT_FALSE(key("cookie:other"));
  EXPECT_FALSE(key("query:other"));
  EXPECT_FALSE(key("nonsense"));
  head.headers.add("x-user", "second");
  EXPECT_NE(key("header:X-User"), hash64("h")) << "another value, another key";
}

TEST(RequestKey, TheKindOfAConsistentHash) {
  config::LoadBalancer::ConsistentHash hash;
  EXPECT_EQ(hash_key(hash).kind, Kind::kNone);
  hash.use_source_ip = true;
  EXPECT_EQ(hash_key(hash).kind, Kind::kClientAddress);
  hash = {};
  hash.http_header_name = "X-A";
  EXPECT_EQ(hash_key(hash).name, "x-a");
  hash = {};
  hash.http_cookie.emplace().name = "C";
  EXPECT_EQ(hash_key(hash).name, "C");
  hash = {};
  hash.http_query_parameter_name = "q";
  EXPECT_EQ(hash_key(hash).kind, Kind::kQuery);
}

}  // namespace
}  // namespace weir::proxy
