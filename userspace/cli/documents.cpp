#include "cli/documents.h"

#include <algorithm>

namespace weir::cli {
namespace {

bool is_marker(std::string_view line, std::string_view marker) {
  return line.starts_with(marker) && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

bool is_blank_or_comment(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos || line[first] == '#';
}

std::string with_line_end(std::string_view body) {
  std::string text(body);
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

}  // namespace

Result<std::vector<Document>> split_documents(std::string_view text) {
  std::vector<Document> documents{{}};
  uint32_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t stop = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, stop - at);
    const size_t next = std::min(stop + 1, text.size());
    ++number;
    if (line.starts_with('%')) return Error{"has YAML directives in line " + std::to_string(number)};
    if (is_marker(line, "---")) {
      // What stands before the first marker is a document of its own only when there is something in it.
      if (documents.back().has_content || documents.size() > 1 || documents.back().begin != at) {
        documents.back().end = at;
        documents.push_back({});
      }
      documents.back().begin = at;
      documents.back().first_line = number;
      const bool inline_content = !is_blank_or_comment(line.substr(3));
      documents.back().body = inline_content ? at + 3 : next;
      documents.back().has_content = inline_content;
    } else if (!is_marker(line, "...") && !is_blank_or_comment(line)) {
      documents.back().has_content = true;
    }
    documents.back().last_line = number;
    at = next;
  }
  documents.back().end = text.size();
  return documents;
}

size_t document_at(const std::vector<Document>& documents, uint32_t line) {
  size_t index = 0;
  while (index + 1 < documents.size() && documents[index + 1].first_line <= line) ++index;
  return index;
}

std::string replace_document(std::string_view text, const std::vector<Document>& documents, size_t index,
                             std::string_view body) {
  const Document& document = documents[index];
  std::string out(text.substr(0, document.begin));
  std::string_view marker = text.substr(document.begin, document.body - document.begin);
  // "--- {a: b}": the marker shares its line with the body that goes.
  out += marker == "---" ? "---\n" : std::string(marker);
  out += with_line_end(body);
  out += text.substr(document.end);
  return out;
}

std::string remove_document(std::string_view text, const std::vector<Document>& documents, size_t index) {
  const bool others = std::ranges::any_of(
      documents, [&](const Document& other) { return &other != &documents[index] && other.has_content; });
  if (!others) return {};
  std::string out(text.substr(0, documents[index].begin));
  out += text.substr(documents[index].end);
  return out;
}

std::string append_document(std::string_view text, std::string_view body) {
  std::string out = with_line_end(text);
  if (!out.empty()) out += "---\n";
  return out + with_line_end(body);
}

}  // namespace weir::cli
