#pragma once
// A hash that is the same on every node, build and run: identities of splits and endpoints in the kernel's maps are
// made of it.

#include <cstdint>
#include <string_view>

namespace weir {

/// FNV-1a, 64 bit, finished with a 64-bit mixer (splitmix64) so that all bits are good. Not for secrets.
constexpr uint64_t hash64(std::string_view bytes, uint64_t seed = 0xcbf29ce484222325ULL) {
  uint64_t hash = seed;
  for (const char byte : bytes) {
    hash ^= static_cast<uint8_t>(byte);
    hash *= 0x100000001b3ULL;
  }
  hash ^= hash >> 30;
  hash *= 0xbf58476d1ce4e5b9ULL;
  hash ^= hash >> 27;
  hash *= 0x94d049bb133111ebULL;
  return hash ^ (hash >> 31);
}

}  // namespace weir
