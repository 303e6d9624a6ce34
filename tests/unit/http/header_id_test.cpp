#include "http/header_id.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::http {
namespace {

TEST(HeaderId, EveryNameIsFoundAgain) {
  for (int i = 1; i < static_cast<int>(HeaderId::kCount); ++i) {
    const auto id = static_cast<HeaderId>(i);
    EXPECT_EQ(header_id(header_name(id)), id) << header_name(id);
  }
}

TEST(HeaderId, TheEnumAndItsNamesAreInOneOrder) {
  EXPECT_EQ(header_name(HeaderId::kTe), "te");
  EXPECT_EQ(header_name(HeaderId::kHost), "host");
  EXPECT_EQ(header_name(HeaderId::kExpect), "expect");
  EXPECT_EQ(header_name(HeaderId::kUpgrade), "upgrade");
  EXPECT_EQ(header_name(HeaderId::kConnection), "connection");
  EXPECT_EQ(header_name(HeaderId::kKeepAlive), "keep-alive");
  EXPECT_EQ(header_name(HeaderId::kMaxForwards), "max-forwards");
  EXPECT_EQ(header_name(HeaderId::kContentLength), "content-length");
  EXPECT_EQ(header_name(HeaderId::kXForwardedFor), "x-forwarded-for");
  EXPECT_EQ(header_name(HeaderId::kXForwardedProto), "x-forwarded-proto");
  EXPECT_EQ(header_name(HeaderId::kTransferEncoding), "transfer-encoding");
  EXPECT_EQ(header_name(HeaderId::kProxyAuthorization), "proxy-authorization");
}

TEST(HeaderId, OtherNamesAreOther) {
  for (const char* name : {"", "h", "hos", "hostt", "Host", "content_length", "content-lengtj", "x", "end-user",
                           "transfer-encodinh", "a-name-longer-than-any-that-is-known"}) {
    EXPECT_EQ(header_id(name), HeaderId::kOther) << name;
  }
  EXPECT_EQ(header_id(std::string_view("te\0", 3)), HeaderId::kOther);
}

TEST(HeaderId, FramingAndHostCannotBeRemoved) {
  for (const HeaderId id : {HeaderId::kHost, HeaderId::kContentLength, HeaderId::kTransferEncoding,
                            HeaderId::kXForwardedFor, HeaderId::kCookie, HeaderId::kAuthorization}) {
    EXPECT_TRUE(is_protected(id)) << header_name(id);
  }
  EXPECT_FALSE(is_protected(HeaderId::kOther));
  EXPECT_FALSE(is_protected(HeaderId::kKeepAlive));
}

TEST(HeaderId, HopByHop) {
  for (const HeaderId id : {HeaderId::kConnection, HeaderId::kKeepAlive, HeaderId::kProxyConnection, HeaderId::kTe,
                            HeaderId::kTrailer, HeaderId::kTransferEncoding, HeaderId::kUpgrade}) {
    EXPECT_TRUE(is_hop_by_hop(id)) << header_name(id);
  }
  for (const HeaderId id : {HeaderId::kOther, HeaderId::kHost, HeaderId::kVia, HeaderId::kExpect}) {
    EXPECT_FALSE(is_hop_by_hop(id));
  }
}

}  // namespace
}  // namespace weir::http
