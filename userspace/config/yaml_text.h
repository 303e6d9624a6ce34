#pragma once
// What must hold of a file's bytes before a YAML parser sees them, and where its documents begin.

#include <optional>
#include <string_view>
#include <vector>

#include "config/yaml_tree.h"

namespace weir::config::yaml {

/// One document's text and the line (from 1) that it starts on.
struct Piece {
  std::string_view text;
  uint32_t line = 1;
};

/// A byte order mark is taken off `text`. The problem, if the bytes are not text that YAML 1.2 allows.
std::optional<Problem> check_encoding(std::string_view& text);

/// Cuts at lines that begin with "---" (YAML 1.2 section 9.1: no scalar can hold one). Directives stay with the
/// document that follows.
std::vector<Piece> split_documents(std::string_view text);

/// The problem, if the document is larger than we let a parser see.
std::optional<Problem> check_size(const Piece& piece);

}  // namespace weir::config::yaml
