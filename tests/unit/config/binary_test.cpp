#include "config/binary.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "config/binary_codec.h"
#include "config/enumerators.h"
#include "support.h"

namespace weir::config {
namespace {

constexpr size_t kHead = 32;  // before the payload

/// Objects of several kinds, mesh settings in a second document, a warning.
constexpr const char* kText =
    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a, labels: {x: y}, annotations: {p: "
    "q}}\n"
    "spec: {host: a, trafficPolicy: {portLevelSettings: [{port: {number: 80}, connectionPool: {tcp: {connectTimeout: "
    "1s}}}]}, nothing: 1}\n---\n"
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: n}\n"
    "spec: {hosts: [a], tcp: [{match: [{destinationSubnets: [10.0.0.0/8]}], route: [{destination: {host: a}}]}]}\n---\n"
    "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a, resourceVersion: '7', generation: "
    "3}\n"
    "spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: b, port: 80}]}]}\n---\n"
    "rootNamespace: mesh-root\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}\n";

std::string payload_of(const std::string& bytes) {
  return bytes.substr(kHead);
}

std::string reseal(const std::string& payload) {
  return seal("WeiO", payload);
}

std::string failure(const Result<ParsedFile>& result) {
  return result ? "" : result.error().message;
}

/// What is read back is written the same, and says the same.
void expect_round_trip(const ParsedFile& file) {
  const std::string bytes = to_binary(file);
  const auto back = from_binary(bytes);
  ASSERT_TRUE(back) << file.name << ": " << back.error().message;
  EXPECT_EQ(to_binary(*back), bytes) << file.name;
  ASSERT_EQ(back->objects.size(), file.objects.size());
  for (size_t i = 0; i < file.objects.size(); ++i) {
    EXPECT_EQ(to_text(*back->objects[i]), to_text(*file.objects[i]));
    EXPECT_EQ(metadata(*back->objects[i]).fingerprint, metadata(*file.objects[i]).fingerprint);
    EXPECT_EQ(metadata(*back->objects[i]).at, metadata(*file.objects[i]).at);
  }
  EXPECT_EQ(test::lines(back->diagnostics), test::lines(file.diagnostics));
}

TEST(Binary, AFileComesBackAsItWas) {
  const ParsedFile file = read_yaml(kText, "some.yaml");
  ASSERT_EQ(file.objects.size(), 3U);
  ASSERT_FALSE(file.diagnostics.empty());
  expect_round_trip(file);
  const auto back = from_binary(to_binary(file));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->name, "some.yaml");
  ASSERT_TRUE(back->mesh);
  EXPECT_EQ(back->mesh->root_namespace, "mesh-root");
  EXPECT_EQ(metadata(*back->objects[2]).resource_version, "7");
  EXPECT_EQ(metadata(*back->objects[2]).generation, 3);
  EXPECT_EQ(to_text(back->diagnostics.front()), to_text(file.diagnostics.front()));
  // An object that comes back where it stood is the same to the store.
  Store store;
  store.set(file);
  EXPECT_TRUE(store.set(*back).empty());
}

TEST(Binary, AnEmptyFileIsOneToo) {
  expect_round_trip(read_yaml("", "empty.yaml"));
}

TEST(Binary, EveryCutIsRefused) {
  const std::string bytes = to_binary(read_yaml(kText, "a.yaml"));
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(from_binary(bytes.substr(0, size))) << size;
  EXPECT_FALSE(from_binary(bytes + '\0'));
}

TEST(Binary, EveryChangedByteIsRefused) {
  const std::string bytes = to_binary(read_yaml(kText, "a.yaml"));
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_FALSE(from_binary(changed)) << i;
    }
  }
}

TEST(Binary, SaysWhatIsWrong) {
  const std::string bytes = to_binary(read_yaml(kText, "a.yaml"));
  EXPECT_EQ(failure(from_binary("")), "has 0 bytes, less than its head of 32");
  EXPECT_EQ(failure(from_binary("Weird" + bytes.substr(5))), "does not begin with \"WeiO\"");
  std::string changed = bytes;
  changed[4] = 9;
  EXPECT_EQ(failure(from_binary(changed)), "is of form 9, this build reads form 1");
  changed = bytes;
  changed[8] = static_cast<char>(changed[8] + 1);
  EXPECT_EQ(failure(from_binary(changed)), "was written by a build whose objects have other fields");
  EXPECT_EQ(failure(from_binary(bytes.substr(0, 40))),
            "holds 8 bytes behind its head, which says " + std::to_string(bytes.size() - kHead));
  changed = bytes;
  changed.back() = static_cast<char>(changed.back() + 1);
  EXPECT_EQ(failure(from_binary(changed)), "has a wrong checksum: bytes were changed");
  EXPECT_EQ(failure(from_binary(reseal("\1a\1\x7f"))), "holds something that is no object, before byte 36");
}

/// A payload that is not of our making, with a right checksum: it is refused, or it is the one form of what it holds.
void expect_sound(const std::string& payload) {
  const std::string bytes = reseal(payload);
  const auto file = from_binary(bytes);
  if (file) {
    EXPECT_EQ(to_binary(*file), bytes);
  }
}

TEST(Binary, BytesThatPassTheChecksumAreStillNotBelieved) {
  const std::string payload = payload_of(to_binary(read_yaml(kText, "a.yaml")));
  for (size_t i = 0; i < payload.size(); ++i) {
    for (const unsigned value : {0U, 1U, 0x7fU, 0x80U, 0xffU}) {
      std::string changed = payload;
      changed[i] = static_cast<char>(value);
      expect_sound(changed);
    }
    expect_sound(payload.substr(0, i));
    expect_sound(payload.substr(i));
    expect_sound(payload.substr(0, i) + std::string(10, '\xff') + payload.substr(i));
  }
}

TEST(Binary, AnObjectIsOfTheKindThatItSays) {
  ParsedFile file = read_yaml("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", "a.yaml");
  auto object = std::make_shared<AnyObject>(*file.objects.front());
  std::get<Pod>(*object).meta.kind = Kind::kService;
  file.objects = {object};
  EXPECT_EQ(failure(from_binary(to_binary(file))), "holds an object of one kind that says it is of another");
}

template <class T>
bool reads(std::string_view bytes) {
  binary::Reader reader(bytes);
  T value{};
  reader.get(value);
  return reader.finished();
}

TEST(BinaryCodec, OneValueHasOneForm) {
  EXPECT_TRUE(reads<uint64_t>("\x7f"));
  EXPECT_TRUE(reads<uint64_t>(std::string(9, '\xff') + "\1"));
  EXPECT_FALSE(reads<uint64_t>(std::string(9, '\xff') + "\2"));  // beyond 64 bits
  EXPECT_FALSE(reads<uint64_t>(std::string("\x80\0", 2)));       // a zero in front
  EXPECT_FALSE(reads<uint64_t>(std::string(11, '\x80')));        // without end
  EXPECT_FALSE(reads<uint16_t>("\x80\x80\4"));                   // 65536
  EXPECT_TRUE(reads<uint16_t>("\xff\xff\3"));
  EXPECT_FALSE(reads<bool>("\2"));
  EXPECT_FALSE(reads<Kind>(std::string(1, static_cast<char>(enumerators<Kind>()))));
  EXPECT_FALSE(reads<std::optional<bool>>("\2\1"));
  EXPECT_FALSE(reads<std::string>("\3ab"));
  EXPECT_FALSE((reads<Labels>(std::string("\2\1b\1x\1a\1y"))));  // out of order
  EXPECT_FALSE((reads<Labels>(std::string("\2\1a\1x\1a\1y"))));  // twice
  EXPECT_TRUE((reads<Labels>(std::string("\2\1a\1x\1b\1y"))));
  EXPECT_FALSE(reads<std::vector<std::string>>(std::string(9, '\xff') + "\1"));
  EXPECT_FALSE(reads<Cidr>(std::string(16, 'a') + "\x81\1"));  // a prefix of 129
}

TEST(BinaryCodec, NegativeNumbersComeBack) {
  for (const int64_t value : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{1}, INT64_MAX}) {
    binary::Writer writer;
    writer.put(value);
    const std::string bytes = writer.take();
    binary::Reader reader(bytes);
    int64_t back = 5;
    reader.get(back);
    EXPECT_TRUE(reader.finished());
    EXPECT_EQ(back, value);
  }
}

TEST(BinaryCodec, PoliciesInPoliciesEndSomewhere) {
  TrafficPolicy policy;
  for (int i = 0; i < 200; ++i) {
    TrafficPolicy outer;
    outer.port_level.emplace(80, std::move(policy));
    policy = std::move(outer);
  }
  binary::Writer writer;
  writer.put(policy);
  EXPECT_FALSE(reads<TrafficPolicy>(writer.take()));
}

TEST(Enumerators, AreCounted) {
  enum class Three { kA, kB, kC };
  EXPECT_EQ(enumerators<Three>(), 3U);
  EXPECT_EQ(enumerators<Kind>(), std::variant_size_v<AnyObject>);
  EXPECT_EQ(enumerators<Level>(), 3U);
}

TEST(Binary, EveryCorpusComesBackAsItWas) {
  size_t objects = 0;
  for (const char* below : {"oracle/cases", "istio", "verdicts"}) {
    const std::string folder = test::corpus(below);
    if (folder.empty()) GTEST_SKIP() << "no corpus";
    for (const std::string& path : test::yaml_files(folder)) {
      const ParsedFile file = read_yaml(test::read_file(path), path);
      objects += file.objects.size();
      expect_round_trip(file);
    }
  }
  std::cout << "binary: " << objects << " objects went there and back\n";
  EXPECT_GE(objects, 2000U);
}

}  // namespace
}  // namespace weir::config
