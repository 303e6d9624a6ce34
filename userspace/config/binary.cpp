#include "config/binary.h"

#include <cstring>

#include "base/hash.h"
#include "config/binary_codec.h"

namespace weir::config {
namespace {

constexpr std::string_view kMagic = "WeiO";
constexpr uint32_t kVersion = 1;  // of the head and of how values are written
constexpr size_t kMagicSize = 4;
constexpr size_t kHeadSize = kMagicSize + 4 + 8 + 8 + 8;

template <class T>
void append(std::string& bytes, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
}

/// `bytes` is long enough.
template <class T>
T take(std::string_view& bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  bytes.remove_prefix(sizeof(T));
  return value;
}

uint64_t checksum(std::string_view payload) {
  // Eight bytes a step: what protects from broken disks must not cost more than the reading.
  uint64_t sum = 0x9e3779b97f4a7c15ULL ^ payload.size();
  while (payload.size() >= 8) {
    uint64_t word = 0;
    std::memcpy(&word, payload.data(), 8);
    sum = (sum ^ word) * 0xff51afd7ed558ccdULL;
    sum ^= sum >> 32;
    payload.remove_prefix(8);
  }
  return hash64(payload, sum);
}

}  // namespace

uint64_t binary_layout() {
  static const uint64_t kLayout = [] {
    std::string text;
    binary::describe_layout<AnyObject>(text);
    binary::describe_layout<MeshConfig>(text);
    binary::describe_layout<Diagnostic>(text);
    return hash64(text);
  }();
  return kLayout;
}

std::string seal(std::string_view magic, std::string_view payload) {
  std::string bytes(magic.substr(0, kMagicSize));
  bytes.reserve(kHeadSize + payload.size());
  append(bytes, kVersion);
  append(bytes, binary_layout());
  append(bytes, static_cast<uint64_t>(payload.size()));
  append(bytes, checksum(payload));
  return bytes.append(payload);
}

Result<std::string_view> unseal(std::string_view magic, std::string_view bytes) {
  if (bytes.size() < kHeadSize) {
    return Error{"has " + std::to_string(bytes.size()) + " bytes, less than its head of " + std::to_string(kHeadSize)};
  }
  if (!bytes.starts_with(magic)) return Error{"does not begin with \"" + std::string(magic) + "\""};
  bytes.remove_prefix(kMagicSize);
  if (const auto version = take<uint32_t>(bytes); version != kVersion) {
    return Error{"is of form " + std::to_string(version) + ", this build reads form " + std::to_string(kVersion)};
  }
  if (take<uint64_t>(bytes) != binary_layout()) return Error{"was written by a build whose objects have other fields"};
  const auto size = take<uint64_t>(bytes);
  const auto sum = take<uint64_t>(bytes);
  if (size != bytes.size()) {
    return Error{"holds " + std::to_string(bytes.size()) + " bytes behind its head, which says " +
                 std::to_string(size)};
  }
  if (sum != checksum(bytes)) return Error{"has a wrong checksum: bytes were changed"};
  return bytes;
}

std::string to_binary(const ParsedFile& file) {
  binary::Writer writer;
  writer.put(file.name);
  writer.number(file.objects.size());
  for (const ObjectPtr& object : file.objects) writer.put(*object);
  writer.put(file.mesh);
  writer.put(file.diagnostics);
  return seal(kMagic, writer.take());
}

Result<ParsedFile> from_binary(std::string_view bytes) {
  const auto payload = unseal(kMagic, bytes);
  if (!payload) return payload.error();
  binary::Reader reader(*payload);
  ParsedFile file;
  reader.get(file.name);
  const uint64_t objects = reader.number();
  for (uint64_t i = 0; i < objects && reader.good(); ++i) {
    auto object = std::make_shared<AnyObject>();
    reader.get(*object);
    if (metadata(*object).kind != static_cast<Kind>(object->index())) {
      return Error{"holds an object of one kind that says it is of another"};
    }
    file.objects.push_back(std::move(object));
  }
  reader.get(file.mesh);
  reader.get(file.diagnostics);
  if (!reader.finished()) {
    return Error{"holds something that is no object, before byte " + std::to_string(kHeadSize + reader.offset())};
  }
  return file;
}

}  // namespace weir::config
