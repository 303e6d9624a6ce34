#include "support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace weir::config::test {

std::vector<std::string> lines(const Diagnostics& diagnostics) {
  std::vector<std::string> all;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.level == Level::kInfo) continue;
    all.push_back(std::to_string(diagnostic.at.line) + ":" + std::to_string(diagnostic.at.column) + " " +
                  (diagnostic.level == Level::kError ? "Error " : "Warning ") + diagnostic.code + " " +
                  diagnostic.message);
  }
  return all;
}

std::vector<std::string> read_findings(std::string_view text) {
  return lines(read_yaml(text, "test.yaml").diagnostics);
}

std::vector<std::string> analysis_findings(std::string_view text) {
  const ParsedFile file = read_yaml(text, "test.yaml");
  std::vector<ObjectPtr> objects = file.objects;
  objects.insert(objects.end(), file.rejected.begin(), file.rejected.end());
  Diagnostics found = analyze(objects, file.mesh.value_or(MeshConfig{}));
  for (Diagnostic& diagnostic : found) {
    if (diagnostic.level == Level::kInfo) diagnostic.level = Level::kWarning;  // lines() leaves infos out
  }
  return lines(found);
}

std::string istio(std::string_view kind, std::string_view spec) {
  return object("networking.istio.io/v1", kind, spec);
}

std::string object(std::string_view api_version, std::string_view kind, std::string_view spec) {
  std::string text =
      "apiVersion: " + std::string(api_version) + "\nkind: " + std::string(kind) + "\nmetadata:\n  name: a\nspec:\n";
  std::istringstream stream{std::string(spec)};
  for (std::string line; std::getline(stream, line);) text += "  " + line + "\n";
  return text;
}

void check_specs(std::string_view kind, std::string_view around, const std::vector<SpecCase>& table,
                 std::string_view api_version) {
  const size_t hole = around.find('@');
  const std::string before(around.substr(0, hole));
  const std::string after(hole == std::string_view::npos ? "" : around.substr(hole + 1));
  const size_t indent = before.size() - (before.rfind('\n') + 1);
  for (const SpecCase& item : table) {
    std::string inner;
    for (const char c : item.spec) {
      inner += c;
      if (c == '\n') inner.append(indent, ' ');
    }
    const auto found = read_findings(object(api_version, kind, before + inner + after));
    if (item.finding.empty()) {
      EXPECT_TRUE(found.empty()) << item.spec << "\n-> " << found.front();
      continue;
    }
    ASSERT_FALSE(found.empty()) << item.spec << "\nno finding, expected " << item.finding;
    EXPECT_TRUE(found.front().starts_with(item.finding))
        << item.spec << "\n-> " << found.front() << "\nexpected " << item.finding;
    EXPECT_EQ(found.size(), 1U) << item.spec << "\n-> also " << found.back();
  }
}

std::string corpus(std::string_view below) {
  const char* shared = std::getenv("SHARED_DIR");
  const std::string folder = (shared != nullptr ? std::string(shared) : std::string(WEIR_SOURCE_DIR) + "/../shared") +
                             "/corpus/" + std::string(below);
  return std::filesystem::is_directory(folder) ? folder : std::string();
}

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<std::string> yaml_files(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace weir::config::test
