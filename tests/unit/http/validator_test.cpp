#include "http/validator.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weir::http {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

BodyLength body_length(const Fields& fields, Version version = Version::kHttp11) {
  HeaderList headers;
  for (const auto& [name, value] : fields) headers.add(name, value);
  static const Limits limits;
  return read_body_length(headers, version, limits);
}

TEST(BodyLength, Sound) {
  EXPECT_EQ(body_length({}).framing, Framing::kNone);
  EXPECT_EQ(body_length({{"content-length", "0"}}).framing, Framing::kLength);
  EXPECT_EQ(body_length({{"content-length", "42"}}).content_length, 42U);
  EXPECT_EQ(body_length({{"content-length", "9007199254740992"}}).fault, Fault::kNone);
  EXPECT_EQ(body_length({{"transfer-encoding", "chunked"}}).framing, Framing::kChunked);
  EXPECT_EQ(body_length({{"transfer-encoding", "Chunked"}}).framing, Framing::kChunked);
}

// H1-H8, one by one.
TEST(BodyLength, Refused) {
  struct Case {
    Fields fields;
    Fault fault;
  };
  const Case cases[] = {
      {{{"content-length", "5"}, {"transfer-encoding", "chunked"}}, Fault::kLengthAndEncoding},
      {{{"transfer-encoding", ""}, {"content-length", "5"}}, Fault::kLengthAndEncoding},
      {{{"transfer-encoding", ""}}, Fault::kTransferEncoding},
      {{{"transfer-encoding", ",chunked"}}, Fault::kTransferEncoding},
      {{{"transfer-encoding", "chunked,"}}, Fault::kTransferEncoding},
      {{{"transfer-encoding", "chunked, chunked"}}, Fault::kTransferEncoding},
      {{{"transfer-encoding", "chunked"}, {"transfer-encoding", "chunked"}}, Fault::kTransferEncoding},
      {{{"transfer-encoding", "chunked, gzip"}}, Fault::kTransferEncoding},
      {{{"transfer-encoding", "chunked"}, {"transfer-encoding", "identity"}}, Fault::kTransferEncoding},
      {{{"transfer-encoding", "chunked;q=1"}}, Fault::kTransferEncoding},
      {{{"transfer-encoding",
         "\xa0"
         "chunked"}},
       Fault::kTransferEncoding},
      {{{"transfer-encoding", "chun ked"}}, Fault::kTransferEncoding},
      {{{"transfer-encoding", "gzip, chunked"}}, Fault::kUnknownCoding},
      {{{"transfer-encoding", "identity"}}, Fault::kUnknownCoding},
      {{{"transfer-encoding", "xchunked"}}, Fault::kUnknownCoding},
      {{{"content-length", "5"}, {"content-length", "5"}}, Fault::kContentLength},
      {{{"content-length", "5"}, {"content-length", "6"}}, Fault::kContentLength},
      {{{"content-length", "5,5"}}, Fault::kContentLength},
      {{{"content-length", "+5"}}, Fault::kContentLength},
      {{{"content-length", "-0"}}, Fault::kContentLength},
      {{{"content-length", "0x5"}}, Fault::kContentLength},
      {{{"content-length", "5_0"}}, Fault::kContentLength},
      {{{"content-length", "5 5"}}, Fault::kContentLength},
      {{{"content-length", ""}}, Fault::kContentLength},
      {{{"content-length", "0005"}}, Fault::kContentLength},
      {{{"content-length", "00"}}, Fault::kContentLength},
      {{{"content-length", "9007199254740993"}}, Fault::kContentTooLarge},
      {{{"content-length", "9223372036854775808"}}, Fault::kContentTooLarge},
      {{{"content-length", "18446744073709551615"}}, Fault::kContentTooLarge},
      {{{"content-length", "1000000000000000000000000000000"}}, Fault::kContentTooLarge},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(fault_text(body_length(c.fields).fault), fault_text(c.fault)) << c.fields[0].second;
  }
  EXPECT_EQ(body_length({{"transfer-encoding", "chunked"}}, Version::kHttp10).fault, Fault::kEncodingInHttp10);
}

TEST(Connection, OptionsInAnyCaseAndLine) {
  HeaderList headers;
  headers.add("connection", "Keep-Alive , x-thing,");
  headers.add("connection", "CLOSE");
  const ConnectionOptions options = read_connection(headers);
  EXPECT_TRUE(options.close);
  EXPECT_TRUE(options.keep_alive);
  EXPECT_FALSE(options.upgrade);
  EXPECT_EQ(options.count, 4U);
  EXPECT_TRUE(options.names_fields);
  EXPECT_EQ(read_connection(HeaderList()).count, 0U);
}

TEST(Connection, OptionsAreWholeWords) {
  HeaderList headers;
  headers.add("connection", "closed, not-close, close-, \"close\"");
  EXPECT_FALSE(read_connection(headers).close);
}

TEST(Via, OwnHopsAreCountedOthersNot) {
  HeaderList headers;
  EXPECT_EQ(count_via(headers, "weir"), 0U);
  headers.add("via", "1.1 weir, 1.0 fred (weir), HTTP/2 Weir (a comment)");
  headers.add("via", "weir");
  headers.add("via", "1.1\tweir");
  headers.add("x-via", "1.1 weir");
  headers.add("via", "1.1 weir-2, 1.1 ,");
  EXPECT_EQ(count_via(headers, "weir"), 3U);
}

TEST(Underscore, FramingLookalikesAreRefusedUnderEveryPolicy) {
  for (const auto policy : {UnderscorePolicy::kDrop, UnderscorePolicy::kReject, UnderscorePolicy::kKeep}) {
    EXPECT_EQ(judge_underscore("transfer_encoding", policy), UnderscoreVerdict::kReject);
    EXPECT_EQ(judge_underscore("content_length", policy), UnderscoreVerdict::kReject);
    EXPECT_EQ(judge_underscore("keep_alive", policy), UnderscoreVerdict::kReject);
  }
}

TEST(Underscore, OtherNamesFollowThePolicy) {
  for (const char* name : {"end_user", "x_forwarded_for", "_", "a_name_much_longer_than_any_known_one"}) {
    EXPECT_EQ(judge_underscore(name, UnderscorePolicy::kDrop), UnderscoreVerdict::kDrop);
    EXPECT_EQ(judge_underscore(name, UnderscorePolicy::kReject), UnderscoreVerdict::kReject);
    EXPECT_EQ(judge_underscore(name, UnderscorePolicy::kKeep), UnderscoreVerdict::kKeep);
  }
}

}  // namespace
}  // namespace weir::http
