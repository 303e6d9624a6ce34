#include "oracle_case.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "config/store.h"
#include "routing/build/table_builder.h"

namespace weir::oracle {
namespace {

namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error{"cannot read " + path.string()};
  return text.str();
}

Result<nlohmann::json> read_json(const fs::path& path) {
  auto text = read_file(path);
  if (!text) return std::move(text).error();
  auto parsed = nlohmann::json::parse(*text, nullptr, false);
  if (parsed.is_discarded()) return Error{path.string() + " is no JSON"};
  return parsed;
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> result;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) result.push_back(entry.path());
  std::ranges::sort(result);
  return result;
}

/// What the name server of the oracle's namespace said for the endpoints of ServiceEntries with resolution DNS.
routing::ResolvedNames names_of_the_oracle() {
  const std::pair<const char*, const char*> names[] = {
      {"one.backend.test", "198.18.6.52"},      {"two.backend.test", "198.18.248.14"},
      {"three.backend.test", "198.18.137.252"}, {"proxy.backend.test", "198.18.183.44"},
      {"none.example.com", "198.18.9.71"},      {"h1.example.com", "198.18.149.88"},
      {"h2.example.com", "198.18.155.217"}};
  routing::ResolvedNames resolved;
  for (const auto& [name, address] : names) resolved[name] = {*IpAddress::parse(address)};
  return resolved;
}

Result<std::shared_ptr<const routing::Table>> load_table(const fs::path& folder) {
  std::vector<fs::path> files = sorted_entries(folder / "config");
  if (fs::exists(folder / "mesh.yaml")) files.push_back(folder / "mesh.yaml");
  config::Store store;
  for (const fs::path& path : files) {
    if (path.extension() != ".yaml") continue;
    auto text = read_file(path);
    if (!text) return std::move(text).error();
    store.set(config::read_yaml(*text, path.filename().string()));
  }
  routing::TableBuilder builder({});
  builder.set_resolved_names(names_of_the_oracle());
  config::Delta delta;
  delta.added = store.objects();
  return builder.update(store.mesh(), delta);
}

}  // namespace

Result<Case> load_case(const fs::path& folder) {
  Case result;
  result.name = folder.filename().string();
  auto table = load_table(folder);
  if (!table) return std::move(table).error();
  result.table = std::move(table).value();
  auto requests = read_json(folder / "requests.json"), answers = read_json(folder / "answers.json");
  if (!requests) return std::move(requests).error();
  if (!answers) return std::move(answers).error();
  const auto& list = answers->at("answers");
  if (list.size() != requests->size()) return Error{folder.string() + ": as many answers as requests are expected"};
  for (size_t i = 0; i < list.size(); ++i) {
    auto question = routing::parse_question(requests->at(i), result.table.get());
    if (!question) return std::move(question).error().context("request " + std::to_string(i));
    result.entries.push_back({std::move(question).value(), list.at(i)});
  }
  return result;
}

std::vector<fs::path> find_cases() {
  const char* shared = std::getenv("SHARED_DIR");
  fs::path root = shared != nullptr ? fs::path(shared) : fs::path(WEIR_SOURCE_DIR) / ".." / "shared";
  if (!fs::exists(root)) root = fs::path(WEIR_SOURCE_DIR) / "tests" / "data";  // the part that a clone has
  return sorted_entries(root / "corpus" / "oracle" / "cases");
}

}  // namespace weir::oracle
