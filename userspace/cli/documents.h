#pragma once
// A YAML file as the stretches of text that its documents are, so that one can be taken out or replaced and the rest
// stays byte for byte. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::cli {

struct Document {
  size_t begin = 0, body = 0, end = 0;  // bytes: marker line ("---") if any, what follows it, end
  uint32_t first_line = 1, last_line = 1;
  bool has_content = false;  // more than blanks and comments
};

/// In order, covering the whole text. An error for a file with directives ("%YAML"), which documents share.
Result<std::vector<Document>> split_documents(std::string_view text);

/// Index of the document that line `line` is in. Precondition: `documents` is not empty.
size_t document_at(const std::vector<Document>& documents, uint32_t line);

/// `text` with document `index` given another body (a line end is added where it lacks one).
std::string replace_document(std::string_view text, const std::vector<Document>& documents, size_t index,
                             std::string_view body);
/// `text` without document `index`; empty when nothing but blanks, comments and markers is left.
std::string remove_document(std::string_view text, const std::vector<Document>& documents, size_t index);
/// `text` with one more document at its end.
std::string append_document(std::string_view text, std::string_view body);

}  // namespace weir::cli
