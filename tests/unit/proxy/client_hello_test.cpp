#include "proxy/client_hello.h"

#include <gtest/gtest.h>

#include <random>

namespace weir::proxy {
namespace {

using State = ClientHello::State;

std::string number(size_t value, size_t size) {
  std::string bytes;
  for (size_t i = size; i-- > 0;) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}
std::string vec(const std::string& content, size_t size) {
  return number(content.size(), size) + content;
}
std::string extension(unsigned type, const std::string& content) {
  return number(type, 2) + vec(content, 2);
}
std::string name_extension(const std::string& name) {
  return extension(0, vec(number(0, 1) + vec(name, 2), 2));
}
/// `extensions` absent: none at all, as in TLS 1.0.
std::string message(const std::string* extensions) {
  std::string body = number(0x0303, 2) + std::string(32, 'r') + vec("session", 1) + vec("\x13\x01\x13\x02", 2) +
                     vec(std::string(1, '\0'), 1);
  if (extensions != nullptr) body += vec(*extensions, 2);
  return number(1, 1) + vec(body, 3);
}
std::string records(const std::string& handshake, size_t piece = 16384) {
  std::string bytes;
  for (size_t at = 0; at < handshake.size(); at += piece)
    bytes += number(22, 1) + number(0x0301, 2) + vec(handshake.substr(at, piece), 2);
  return bytes;
}
std::string hello(const std::string& name) {
  const std::string extensions = extension(10, "curves") + name_extension(name) + extension(16, "alpn");
  return records(message(&extensions));
}

TEST(ClientHelloTest, TheNameIsRead) {
  const auto read = read_client_hello(hello("a.example.com"));
  EXPECT_EQ(read.state, State::kDone);
  EXPECT_EQ(read.server_name, "a.example.com");
}

TEST(ClientHelloTest, CutAnywhereThereIsMoreToCome) {
  const std::string whole = hello("a.example.com");
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(read_client_hello(whole.substr(0, length)).state, State::kMore) << length;
  EXPECT_EQ(read_client_hello(whole + "more").state, State::kDone);
}

TEST(ClientHelloTest, TheMessageMayLieInSeveralRecords) {
  const std::string extensions = name_extension("a.example.com");
  for (const size_t piece : {1, 5, 40}) {
    const auto read = read_client_hello(records(message(&extensions), piece));
    EXPECT_EQ(read.state, State::kDone) << piece;
    EXPECT_EQ(read.server_name, "a.example.com");
  }
}

TEST(ClientHelloTest, WithoutANameThereIsNone) {
  const std::string none;
  for (const std::string* extensions : {&none, static_cast<const std::string*>(nullptr)}) {
    const auto read = read_client_hello(records(message(extensions)));
    EXPECT_EQ(read.state, State::kDone);
    EXPECT_EQ(read.server_name, "");
  }
}

TEST(ClientHelloTest, WhatIsNoClientHelloIsToldAtOnce) {
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n"), std::string("\x15\x03\x01"), std::string("\x16\x02\x01"),
        records(number(2, 1) + vec("server hello", 3)), records(number(1, 1) + number(0xffffff, 3)),
        records(number(1, 1) + vec("too short", 3))})
    EXPECT_EQ(read_client_hello(bytes).state, State::kBad) << bytes;
}

TEST(ClientHelloTest, LengthsThatLieAreBad) {
  const std::string extensions = number(0, 2) + number(500, 2) + "short";
  EXPECT_EQ(read_client_hello(records(message(&extensions))).state, State::kBad);
  const std::string names = extension(0, vec(number(0, 1) + number(500, 2) + "short", 2));
  EXPECT_EQ(read_client_hello(records(message(&names))).state, State::kBad);
}

TEST(ClientHelloTest, ChangedBytesNeverLeadOutside) {
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = hello("a.example.com");
    for (int changes = 1 + static_cast<int>(random() % 4); changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    EXPECT_LE(read_client_hello(bytes).server_name.size(), bytes.size());
  }
}

}  // namespace
}  // namespace weir::proxy
