#include "verdict_case.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/yaml_text.h"

namespace weir::oracle {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Result<std::vector<Json>> read_lines(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{"cannot read " + path.string()};
  std::vector<Json> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    lines.push_back(Json::parse(line, nullptr, false));
    if (lines.back().is_discarded()) return Error{path.string() + " is not JSON line by line"};
  }
  return lines;
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// `{"$repeat": letter, "times": n}` stands for a long string; with `base64`, for that of so many bytes.
void expand(Json& value) {
  if (value.is_object() && value.contains("$repeat")) {
    const auto times = value.at("times").get<size_t>();
    const std::string letter = value.at("$repeat").get<std::string>();
    std::string text;
    const bool base64 = value.value("base64", false);
    for (size_t i = 0; i < (base64 ? times / 3 : times); ++i) text += base64 ? "YWFh" : letter;
    if (base64 && times % 3 == 1) text += "YQ==";
    if (base64 && times % 3 == 2) text += "YWE=";
    value = text;
  } else if (value.is_structured()) {
    for (Json& item : value) expand(item);
  }
}

std::string reason_of(const Json& line) {
  const std::string webhook = text_of(line, "webhook_error"), crd = text_of(line, "crd_error");
  return webhook.empty() ? crd : webhook;
}

/// The documents of a file as the verdicts count them: a comment alone is one, nothing at all is not.
Result<std::vector<std::string>> documents_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{"cannot read " + path.string()};
  std::ostringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  std::vector<std::string> documents;
  for (const auto& piece : config::yaml::split_documents(all)) {
    std::istringstream lines{std::string(piece.text)};
    bool content = false;
    for (std::string line; std::getline(lines, line);) {
      const std::string rest = line.starts_with("---") ? line.substr(3) : line;
      content |= rest.find_first_not_of(" \t\r") != std::string::npos;
    }
    if (content) documents.emplace_back(piece.text);
  }
  return documents;
}

}  // namespace

fs::path corpus_folder() {
  const char* shared = std::getenv("SHARED_DIR");
  return (shared != nullptr ? fs::path(shared) : fs::path(WEIR_SOURCE_DIR) / ".." / "shared") / "corpus";
}

Result<std::vector<Verdict>> load_objects(const fs::path& file, const std::string& source) {
  auto lines = read_lines(file);
  if (!lines) return std::move(lines).error();
  std::vector<Verdict> verdicts;
  for (Json& line : *lines) {
    Json& object = line.at("object");
    expand(object);
    std::string name = text_of(line, "test") + " " + text_of(line, "case");
    if (!text_of(line, "fragment").empty()) name += " (" + text_of(line, "fragment") + ")";
    verdicts.push_back(
        {source, name, object.dump(), text_of(object, "kind"), line.at("accepted").get<bool>(), reason_of(line)});
  }
  return verdicts;
}

Result<std::vector<Verdict>> load_documents(const fs::path& folder, const fs::path& files) {
  auto lines = read_lines(folder / "verdicts.jsonl");
  if (!lines) return std::move(lines).error();
  std::map<std::string, std::vector<std::string>> documents;
  std::vector<Verdict> verdicts;
  for (const Json& line : *lines) {
    const std::string file = text_of(line, "file");
    if (!documents.contains(file)) {
      auto read = documents_of(files / file);
      if (!read) return std::move(read).error();
      documents[file] = std::move(read).value();
    }
    const auto number = line.at("doc").get<size_t>();
    if (number >= documents[file].size()) return Error{file + " has no document " + std::to_string(number)};
    verdicts.push_back({file, std::to_string(number) + " " + text_of(line, "kind") + " " + text_of(line, "name"),
                        documents[file][number], text_of(line, "kind"), line.at("accepted").get<bool>(),
                        reason_of(line)});
  }
  return verdicts;
}

Result<std::vector<Verdict>> load_crd_tests(const fs::path& folder) {
  std::vector<Verdict> verdicts;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const fs::path& path : files) {
    auto documents = documents_of(path);
    if (!documents) return std::move(documents).error();
    const std::string file = path.filename().string();
    size_t number = 0;
    for (std::string& text : *documents) {
      Verdict verdict{"crds/" + file, std::to_string(number++), {}, {}, file.find("-valid.") != std::string::npos, {}};
      std::istringstream lines(text);
      for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("kind: ")) verdict.kind = line.substr(6);
        if (line.starts_with("_err:")) {  // not the object's
          verdict.reason = line;
        } else {
          verdict.text += line + "\n";
        }
      }
      verdicts.push_back(std::move(verdict));
    }
  }
  return verdicts;
}

}  // namespace weir::oracle
