#include "cli/folder_edit.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "agent/source/folder.h"
#include "cli/documents.h"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

/// The objects of one document of a file.
struct Part {
  std::string file;
  size_t document = 0;
  std::string body;
  std::vector<const config::Metadata*> objects;
};

Result<std::vector<Part>> parts_of(const Loaded& input) {
  std::vector<Part> parts;
  for (const auto& [name, file] : input.store.files()) {
    const auto text = input.texts.find(name);
    if (text == input.texts.end()) continue;
    const auto documents = split_documents(text->second);
    if (!documents) return Error{name + ": " + documents.error().message + "; split it by hand"};
    for (const auto& object : file.objects) {
      const auto& meta = config::metadata(*object);
      const size_t index = document_at(*documents, meta.at.line);
      if (parts.empty() || parts.back().file != name || parts.back().document != index) {
        const auto& document = (*documents)[index];
        parts.push_back({name, index, text->second.substr(document.body, document.end - document.body), {}});
      }
      parts.back().objects.push_back(&meta);
    }
  }
  return parts;
}

std::string file_name_for(const std::string& input) {
  std::string name = fs::path(input).filename().string();
  if (!agent::is_config_name(name)) name = (name.empty() || name.front() == '.' ? "applied" : name) + ".yaml";
  return name;
}

std::string trimmed_end(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

Error mixed_list(const Part& part) {
  return Error{part.file + ": " + object_name(*part.objects.front()) +
               " is one of several objects of a List, and not all of them stand together in the folder; "
               "write them as documents of their own (--- between them)"};
}

}  // namespace

std::string_view to_string(ObjectChange::What what) {
  switch (what) {
    case ObjectChange::What::kCreated:
      return "created";
    case ObjectChange::What::kConfigured:
      return "configured";
    case ObjectChange::What::kUnchanged:
      return "unchanged";
    case ObjectChange::What::kDeleted:
      return "deleted";
    case ObjectChange::What::kNotFound:
      return "not found";
  }
  return "";
}

std::string object_name(const config::Metadata& meta) {
  std::string kind(config::to_string(meta.kind));
  std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool shown = !meta.namespace_.empty() && meta.namespace_ != "default";
  return kind + "/" + meta.name + (shown ? "." + meta.namespace_ : "");
}

Result<FolderEdit> FolderEdit::open(const std::string& folder) {
  std::error_code failed;
  if (!fs::is_directory(folder, failed)) return Error{folder + " is not a folder", ENOTDIR};
  if (fs::is_symlink(fs::path(folder) / "..data", failed))
    return Error{folder + " is a mounted ConfigMap: change the ConfigMap, Kubernetes brings it here", EROFS};
  auto loaded = load({folder}, false, true);
  if (!loaded) return std::move(loaded).error();
  FolderEdit edit(folder, std::move(*loaded));
  edit.now_ = edit.before_;
  return edit;
}

const config::Metadata* FolderEdit::find(const config::Metadata& wanted) const {
  const std::string identity = wanted.describe();
  for (const auto& [name, file] : now_.store.files())
    for (const auto& object : file.objects)
      if (config::metadata(*object).describe() == identity) return &config::metadata(*object);
  return nullptr;
}

bool FolderEdit::is_beyond_reading(const std::string& name) const {
  const auto found = now_.store.files().find(name);
  return found != now_.store.files().end() && found->second.objects.empty() && !found->second.mesh &&
         config::has_errors(found->second.diagnostics);
}

void FolderEdit::reread(const std::string& name, std::string text) {
  if (text.empty()) {
    now_.store.remove(name);
    now_.texts.erase(name);
  } else {
    add_text(now_, name, std::move(text));
  }
}

void FolderEdit::set_text(const std::string& name, std::string text) {
  reread(name, std::move(text));
}

std::string FolderEdit::text(const std::string& name) const {
  const auto found = now_.texts.find(name);
  return found == now_.texts.end() ? "" : found->second;
}

Result<std::vector<ObjectChange>> FolderEdit::put(const Loaded& input) {
  auto parts = parts_of(input);
  if (!parts) return std::move(parts).error();
  std::vector<ObjectChange> changes;
  for (const auto& part : *parts) {
    // All new, or all in one document: anything else would need a document to be taken apart.
    std::set<std::pair<std::string, size_t>> places;
    size_t found = 0;
    for (const auto* wanted : part.objects) {
      const auto* meta = find(*wanted);
      if (meta == nullptr) continue;
      ++found;
      const auto documents = split_documents(text(meta->file));
      if (!documents) return Error{meta->file + ": " + documents.error().message + "; change it by hand"};
      places.emplace(meta->file, document_at(*documents, meta->at.line));
    }
    const auto note = [&](ObjectChange::What what, const std::string& file) {
      for (const auto* meta : part.objects) changes.push_back({what, object_name(*meta), file});
    };
    if (found == 0) {
      const std::string name = file_name_for(part.file);
      // A broken file of that name, in which nothing can be read, is most likely this one, half edited.
      reread(name, append_document(is_beyond_reading(name) ? "" : text(name), part.body));
      note(ObjectChange::What::kCreated, name);
      continue;
    }
    if (found != part.objects.size() || places.size() != 1) return mixed_list(part);
    const auto [name, index] = *places.begin();
    const std::string old = text(name);
    const auto documents = *split_documents(old);
    const size_t objects_there =
        static_cast<size_t>(std::ranges::count_if(now_.store.files().at(name).objects, [&](const auto& object) {
          return document_at(documents, config::metadata(*object).at.line) == index;
        }));
    if (objects_there != part.objects.size()) return mixed_list(part);
    const auto& document = documents[index];
    const bool same = trimmed_end(old.substr(document.body, document.end - document.body)) == trimmed_end(part.body);
    if (!same) reread(name, replace_document(old, documents, index, part.body));
    note(same ? ObjectChange::What::kUnchanged : ObjectChange::What::kConfigured, name);
  }
  return changes;
}

Result<std::vector<ObjectChange>> FolderEdit::remove(const Loaded& input) {
  std::vector<ObjectChange> changes;
  std::map<std::pair<std::string, size_t>, std::set<std::string>> going;  // by file and document
  std::vector<config::ObjectPtr> wanted = input.store.objects();
  for (const auto& object : wanted) {
    const auto& named = config::metadata(*object);
    const auto* meta = find(named);
    if (meta == nullptr) {
      changes.push_back({ObjectChange::What::kNotFound, object_name(named), ""});
      continue;
    }
    const auto documents = split_documents(text(meta->file));
    if (!documents) return Error{meta->file + ": " + documents.error().message + "; change it by hand"};
    going[{meta->file, document_at(*documents, meta->at.line)}].insert(meta->describe());
    changes.push_back({ObjectChange::What::kDeleted, object_name(*meta), meta->file});
  }
  // From the end of each file, so that the documents before keep their numbers.
  for (auto entry = going.rbegin(); entry != going.rend(); ++entry) {
    const auto& [name, index] = entry->first;
    const std::string old = text(name);
    const auto documents = *split_documents(old);
    for (const auto& object : now_.store.files().at(name).objects) {
      const auto& meta = config::metadata(*object);
      if (document_at(documents, meta.at.line) == index && !entry->second.contains(meta.describe()))
        return Error{name + ":" + std::to_string(meta.at.line) + ": " + object_name(meta) +
                     " is in the same List and is to stay; take the others out by hand"};
    }
    reread(name, remove_document(old, documents, index));
  }
  return changes;
}

std::map<std::string, FileEdit> FolderEdit::edits() const {
  std::map<std::string, FileEdit> edits;
  for (const auto& [name, text] : before_.texts) edits[name] = {text, "", true};
  for (const auto& [name, text] : now_.texts) edits[name].after = text;
  std::erase_if(edits, [](const auto& entry) { return !entry.second.changed(); });
  return edits;
}

namespace {

std::set<std::string> texts_of(const config::Diagnostics& diagnostics) {
  std::set<std::string> texts;
  // Without the place: a line more above it is no news.
  for (const auto& diagnostic : diagnostics) texts.insert(diagnostic.code + diagnostic.object + diagnostic.message);
  return texts;
}

}  // namespace

FolderEdit::Verdict FolderEdit::check() const {
  Verdict verdict;
  const auto changed = edits();
  for (auto& finding : now_.store.diagnostics()) {
    if (finding.level != config::Level::kError) continue;
    (changed.contains(finding.file) ? verdict.errors : verdict.elsewhere).push_back(std::move(finding));
  }
  const auto known = texts_of(file_table(before_.store)->conditions());
  for (auto& condition : file_table(now_.store)->conditions())
    if (condition.level != config::Level::kInfo &&
        !known.contains(condition.code + condition.object + condition.message))
      verdict.warnings.push_back(std::move(condition));
  verdict.after = now_;
  return verdict;
}

Result<void> FolderEdit::write() const {
  for (const auto& [name, edit] : edits()) {
    const std::string path = folder_ + "/" + name;
    if (!edit.removes())
      WEIR_TRY(write_atomically(path, edit.after));
    else if (::unlink(path.c_str()) != 0)
      return errno_error("remove " + path);
  }
  return {};
}

}  // namespace weir::cli
