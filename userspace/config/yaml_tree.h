#pragma once
// A YAML document as a plain tree of values, each with its place. The only door to yaml-cpp, which throws, copies and
// recurses: here its events are caught, counted and limited, and nothing of it is visible outside of yaml_tree.cpp.
//
// Scalars keep their text: `1.10` stays "1.10" and `no` stays "no"; what a field is decides how its text is read.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"

namespace weir::config::yaml {

struct Node {
  enum class Type : uint8_t { kNull, kScalar, kSequence, kMap };

  Type type = Type::kNull;
  bool quoted = false;  // a string by its quotes, its block style or its tag
  Position at;
  std::string text;                // kScalar
  std::vector<const Node*> items;  // kSequence; kMap: key, value, key, value ... in file order. Keys are scalars

  [[nodiscard]] bool is_null() const { return type == Type::kNull; }
  [[nodiscard]] bool is_scalar() const { return type == Type::kScalar; }
  [[nodiscard]] bool is_sequence() const { return type == Type::kSequence; }
  [[nodiscard]] bool is_map() const { return type == Type::kMap; }
  /// "a string", "a list", "a map", "null": for messages.
  [[nodiscard]] std::string_view describe() const;
};

/// The value of `key` in a map, or nullptr.
[[nodiscard]] const Node* find(const Node& map, std::string_view key);

/// Limits (hardening 2.A C1-C4). What aliases add to a document is counted, not what stands in its text: the text's own
/// size bounds that.
inline constexpr size_t kMaxFileBytes = 16U << 20;
inline constexpr size_t kMaxDocumentBytes = 1U << 20;  // except for a List, which may fill the file
inline constexpr size_t kMaxFlowTokens = 2'000'000;    // brackets, braces and commas: they are held in memory at once
inline constexpr uint64_t kMaxAliases = 100;
inline constexpr uint64_t kMaxAliasedNodes = 100'000;
inline constexpr size_t kMaxDepth = 64;

struct Problem {
  Position at;
  const char* code;  // of codes.h
  std::string message, hint;
};

/// Calls `document` with the root of each document that can be read and the text it is from (both valid during the
/// call; empty documents are left out), and `problem` once for each that cannot. Never throws for bad input.
void parse(std::string_view text, const std::function<void(const Node& root, std::string_view text)>& document,
           const std::function<void(Problem problem)>& problem);

}  // namespace weir::config::yaml
