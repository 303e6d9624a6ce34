#include "config/object_cache.h"

#include "base/hash.h"
#include "config/binary.h"
#include "config/binary_codec.h"

namespace weir::config {
namespace {

constexpr std::string_view kMagic = "WeiC";

}  // namespace

TextKey key_of(std::string_view text) {
  return {hash64(text), text.size()};
}

std::string ObjectCache::write(std::string_view build, const std::vector<Entry>& entries) {
  binary::Writer writer;
  writer.text(build);
  writer.number(entries.size());
  for (const Entry& entry : entries) {
    writer.text(entry.file->name);
    writer.number(entry.text.hash);
    writer.number(entry.text.size);
    writer.text(to_binary(*entry.file));
  }
  return seal(kMagic, writer.take());
}

Result<ObjectCache> ObjectCache::read(std::string bytes, std::string_view build) {
  ObjectCache cache;
  cache.bytes_ = std::move(bytes);
  const auto payload = unseal(kMagic, cache.bytes_);
  if (!payload) return payload.error();
  binary::Reader reader(*payload);
  if (reader.text() != build) return Error{"was written by another build"};
  const uint64_t count = reader.number();
  for (uint64_t i = 0; i < count && reader.good(); ++i) {
    const std::string_view name = reader.text();
    Place place;
    place.text.hash = reader.number();
    place.text.size = reader.number();
    const std::string_view objects = reader.text();
    if (!reader.good()) break;
    place.at = static_cast<size_t>(objects.data() - cache.bytes_.data());
    place.size = objects.size();
    cache.entries_.insert_or_assign(std::string(name), place);
  }
  if (!reader.finished()) return Error{"does not hold what it says"};
  return cache;
}

std::optional<ParsedFile> ObjectCache::find(std::string_view name, const TextKey& text) const {
  const auto found = entries_.find(name);
  if (found == entries_.end() || !(found->second.text == text)) return std::nullopt;
  auto file = from_binary(std::string_view(bytes_).substr(found->second.at, found->second.size));
  if (!file || file->name != name) return std::nullopt;
  return std::move(*file);
}

}  // namespace weir::config
