#include "cli/offline.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "agent/options.h"
#include "agent/source/folder.h"
#include "config/codes.h"
#include "routing/build/table_builder.h"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

void add_unreadable(Loaded& loaded, const std::string& name, const Error& why) {
  config::ParsedFile file;
  file.name = name;
  file.diagnostics.push_back(
      {config::Level::kError, config::code::kUnreadable, "cannot be read: " + why.message, {}, name, {}, {}});
  loaded.unreadable = true;
  ++loaded.files;
  loaded.store.set(std::move(file));
}

/// `name` inside `folder`, shown as `shown`.
void add_file(Loaded& loaded, const agent::Folder& folder, const std::string& name, const std::string& shown) {
  auto file = folder.read(name);
  if (!file)
    add_unreadable(loaded, shown, file.error());
  else if (*file)
    add_text(loaded, shown, std::move((*file)->text));
}

Result<void> add_folder(Loaded& loaded, const std::string& path, const std::string& prefix, bool recursive) {
  const auto folder = agent::Folder::open(path);
  if (!folder) return folder.error();
  const auto entries = folder->list();
  if (!entries) return entries.error();
  const auto shown = [&prefix](const std::string& name) { return prefix.empty() ? name : prefix + "/" + name; };
  for (const auto& entry : *entries) {
    // A folder that is named like a file is no file.
    if (recursive && fs::is_directory(fs::path(path) / entry.name)) continue;
    add_file(loaded, *folder, entry.name, shown(entry.name));
  }
  if (!recursive) return {};
  std::vector<std::string> below;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(path, failed)) {
    const std::string name = entry.path().filename().string();
    // Links to folders are not followed: they may lead in a circle.
    if (entry.is_directory(failed) && !entry.is_symlink(failed) && !name.starts_with(".")) below.push_back(name);
  }
  std::ranges::sort(below);
  for (const auto& name : below) WEIR_TRY(add_folder(loaded, (fs::path(path) / name).string(), shown(name), true));
  return {};
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Result<void> add_path(Loaded& loaded, const std::string& given, bool recursive, bool bare_names) {
  const std::string path = without_slashes(given);
  std::error_code failed;
  const auto status = fs::status(path, failed);
  if (status.type() == fs::file_type::not_found) return Error{path + ": no such file or folder", ENOENT};
  if (status.type() == fs::file_type::none) return errno_error("look at " + path, failed.value());
  if (status.type() == fs::file_type::directory)
    return add_folder(loaded, path, bare_names ? "" : path, recursive).has_value()
               ? Result<void>{}
               : Result<void>{Error{path + ": cannot be listed", EACCES}};
  const auto parent = fs::path(path).parent_path();
  const auto folder = agent::Folder::open(parent.empty() ? "." : parent.string());
  if (!folder) return folder.error();
  add_file(loaded, *folder, fs::path(path).filename().string(), path);
  return {};
}

}  // namespace

std::string Loaded::source_line(const std::string& file, uint32_t line) const {
  const auto found = texts.find(file);
  if (found == texts.end() || line == 0) return {};
  const std::string& text = found->second;
  size_t begin = 0;
  for (uint32_t i = 1; i < line; ++i) {
    begin = text.find('\n', begin);
    if (begin == std::string::npos) return {};
    ++begin;
  }
  std::string out = text.substr(begin, text.find('\n', begin) - begin);
  if (!out.empty() && out.back() == '\r') out.pop_back();
  return out;
}

std::shared_ptr<const routing::Table> file_table(const config::Store& store, bool http_by_request) {
  agent::Options options;
  options.http_by_request = http_by_request;
  return routing::build_table(store, agent::build_options(options));
}

void add_text(Loaded& loaded, const std::string& name, std::string text) {
  auto file = config::read_yaml(text, name);
  for (const auto& diagnostic : file.diagnostics) loaded.unreadable |= config::is_unreadable(diagnostic);
  loaded.store.set(std::move(file));
  loaded.texts[name] = std::move(text);
  ++loaded.files;
}

Result<Loaded> load(const std::vector<std::string>& paths, bool recursive, bool bare_names) {
  Loaded loaded;
  for (const auto& path : paths) WEIR_TRY(add_path(loaded, path, recursive, bare_names));
  return loaded;
}

}  // namespace weir::cli
