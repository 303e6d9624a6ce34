#include "http/body_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "support.h"

namespace weir::http {
namespace {

std::string put(BodyWriter& body, std::string_view data) {
  const BodyFrame frame = body.frame(data.size());
  if (!frame) return "error " + std::to_string(static_cast<int>(frame.error));
  EXPECT_LE(frame.before.size() + frame.after.size(), BodyWriter::kMaxOverhead);
  return std::string(frame.before).append(data).append(frame.after);
}

std::string end(BodyWriter& body) {
  std::string out(BodyWriter::kMaxOverhead, '?');
  const Written written = body.finish(out);
  return written ? out.substr(0, written.size) : "error " + std::to_string(static_cast<int>(written.error));
}

const std::string kLength = "error " + std::to_string(static_cast<int>(WriteError::kLength));

TEST(BodyWriter, Chunks) {
  BodyWriter body(Framing::kChunked, 0);
  EXPECT_EQ(put(body, "hello"), "5\r\nhello\r\n");
  EXPECT_EQ(put(body, ""), "") << "an empty chunk would end the body";
  EXPECT_EQ(put(body, std::string(300, 'x')), "12c\r\n" + std::string(300, 'x') + "\r\n");
  EXPECT_EQ(end(body), "0\r\n\r\n");
  EXPECT_TRUE(body.finished());
  EXPECT_EQ(end(body), "");
  EXPECT_EQ(put(body, "x"), kLength);
}

TEST(BodyWriter, KnownLengthIsKeptToTheByte) {
  BodyWriter body(Framing::kLength, 5);
  EXPECT_EQ(put(body, "hel"), "hel");
  EXPECT_EQ(end(body), kLength) << "short";
  EXPECT_FALSE(body.finished());
  EXPECT_EQ(put(body, "lo!"), kLength) << "long";
  EXPECT_EQ(body.left(), 2U);
  EXPECT_EQ(put(body, "lo"), "lo");
  EXPECT_EQ(end(body), "");
  EXPECT_TRUE(body.finished());
}

TEST(BodyWriter, NoneTakesNothing) {
  BodyWriter body(Framing::kNone, 0);
  EXPECT_EQ(put(body, "x"), kLength);
  EXPECT_EQ(end(body), "");
  BodyWriter nothing;
  EXPECT_EQ(end(nothing), "");
}

TEST(BodyWriter, UntilCloseIsPlain) {
  BodyWriter body(Framing::kUntilClose, 0);
  EXPECT_EQ(put(body, "hello"), "hello");
  EXPECT_EQ(end(body), "");
}

TEST(BodyWriter, FramesAnyLength) {
  BodyWriter body(Framing::kChunked, 0);
  const BodyFrame frame = body.frame(0xffffffffffffffffULL);
  EXPECT_EQ(frame.before, "ffffffffffffffff\r\n");
  EXPECT_EQ(frame.after, "\r\n");
  BodyWriter plain(Framing::kLength, 3);
  EXPECT_EQ(plain.frame(3).before, "");
  EXPECT_EQ(plain.frame(1).error, WriteError::kLength);
}

TEST(BodyWriter, AnEndThatDoesNotFitIsNotWritten) {
  std::array<char, 3> small;
  BodyWriter chunked(Framing::kChunked, 0);
  EXPECT_EQ(chunked.finish(small).error, WriteError::kNoSpace);
  EXPECT_FALSE(chunked.finished());
}

TEST(BodyWriter, WhatItWritesIsReadBack) {
  std::string wire = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string payload;
  BodyWriter body(Framing::kChunked, 0);
  for (std::size_t size = 1; size < 5000; size = size * 2 + 1) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    payload += piece;
    wire += put(body, piece);
  }
  wire += end(body);
  const Outcome outcome = replay_request(wire);
  EXPECT_EQ(outcome.messages.at(0).body, payload);
  EXPECT_TRUE(outcome.messages.at(0).complete);
}

}  // namespace
}  // namespace weir::http
