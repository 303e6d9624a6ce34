#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "config/json_tree.h"
#include "config/kinds.h"
#include "config/object_source.h"
#include "config/other_kinds.h"
#include "config/read.h"
#include "config/schema.h"
#include "config/store.h"

namespace weir::config {
namespace {

constexpr int kMaxListDepth = 4;  // a List of Lists of ...

bool looks_like_mesh(const Node& root) {
  for (const std::string_view key :
       {"pathNormalization", "outboundTrafficPolicy", "rootNamespace", "defaultConfig", "clusterDomain", "trustDomain",
        "accessLogFile", "enableAutoMtls", "meshMTLS", "localityLbSetting", "discoverySelectors", "extensionProviders",
        "serviceSettings"}) {
    if (yaml::find(root, key) != nullptr) return true;
  }
  return false;
}

class FileReader {
 public:
  explicit FileReader(ParsedFile& file) : file_(file) {}

  /// `fingerprint` is of the document's text.
  void read_document(const Node& root, uint64_t fingerprint) {
    Context context(file_.diagnostics, file_.name);
    if (!root.is_map()) {
      context.error(root.at,
                    "a document must be a map with apiVersion and kind, this is " + std::string(root.describe()),
                    "is the file complete?");
      return;
    }
    if (yaml::find(root, "kind") == nullptr && report_foreign(context, root)) return;
    if (yaml::find(root, "kind") == nullptr && looks_like_mesh(root)) {
      read_mesh_document(context, root);
      return;
    }
    read_item(root, fingerprint, {}, {}, 0);
  }

  /// One object. `version` and `kind`: those of the list that it is in, where it does not say.
  void read_alone(const Node& node, uint64_t fingerprint, std::string_view version, std::string_view kind) {
    read_item(node, fingerprint, version, kind, kMaxListDepth);
  }

 private:
  struct Type {
    Located<std::string> api_version, kind;
  };

  /// Files of other tools that lie beside objects as a rule, and are none. False: this is none of them.
  bool report_foreign(Context& context, const Node& root) const {
    struct Foreign {
      std::string_view prefix, tool;
    };
    constexpr Foreign kForeign[] = {{"kustomization.", "Kustomize"},
                                    {"values.", "Helm"},
                                    {"values-", "Helm"},
                                    {"Chart.", "Helm"},
                                    {"chart.", "Helm"},
                                    {"requirements.", "Helm"},
                                    {"compose.", "Docker Compose"},
                                    {"docker-compose", "Docker Compose"},
                                    {"mkdocs.", "MkDocs"},
                                    {"codecov.", "Codecov"}};
    const std::string_view name = std::string_view(file_.name).substr(file_.name.rfind('/') + 1);
    for (const Foreign& foreign : kForeign) {
      if (!name.starts_with(foreign.prefix)) continue;
      context.info(root.at, code::kSkippedKind, "skipped: this file is " + std::string(foreign.tool) + "'s");
      return true;
    }
    return false;
  }

  /// apiVersion and kind; those of a typed list's items may be left out.
  std::optional<Type> read_type(Context& context, const Node& node, std::string_view list_version,
                                std::string_view list_kind) {
    const Position at = node.items.empty() ? node.at : node.items.front()->at;
    const auto text = [&](std::string_view key, std::string_view fallback) -> Located<std::string> {
      const Node* value = yaml::find(node, key);
      if (value != nullptr && value->is_scalar()) return {value->text, value->at};
      return {std::string(fallback), at};
    };
    Type type{text("apiVersion", list_version), text("kind", list_kind)};
    if (!type.kind.value.empty() && !type.api_version.value.empty()) return type;
    const std::string missing = type.kind.value.empty() ? "kind" : "apiVersion";
    context.error(at, missing + " is required",
                  missing == "kind" ? "such as kind: VirtualService" : "such as networking.istio.io/v1");
    return std::nullopt;
  }

  void read_item(const Node& node, uint64_t fingerprint, std::string_view list_version, std::string_view list_kind,
                 int depth) {
    Context context(file_.diagnostics, file_.name);
    if (!node.is_map()) {
      context.error(node.at, "an object must be a map, this is " + std::string(node.describe()));
      return;
    }
    const auto type = read_type(context, node, list_version, list_kind);
    if (!type) return;
    const std::string& kind = type->kind.value;
    if (kind.ends_with("List") && yaml::find(node, "items") != nullptr) {
      read_list(context, node, *type, fingerprint, depth);
    } else if (const KindInfo* known = find_kind(type->api_version.value, kind)) {
      read_object(context, node, *known, type->api_version.value, fingerprint);
    } else if (kind == "ConfigMap" && type->api_version.value == "v1" && read_mesh_config_map(node)) {
      return;
    } else if (const schema::Kind* crd = schema::find_kind(type->api_version.value, kind)) {
      read_other(context, node, *type, *crd);
    } else {
      report_skipped(context, *type);
    }
  }

  /// One of Istio's kinds that Weir does not use: checked as Istio's admission does, and what its absence means is
  /// said.
  static void read_other(Context& context, const Node& node, const Type& type, const schema::Kind& crd) {
    Fields root(context, node, {});
    root.ignore({"apiVersion", "kind"});
    Metadata meta;
    read_metadata(root, meta);
    context.object = type.kind.value + context.object.substr(context.object.find(' '));
    const OtherKind* other = find_other_kind(type.kind.value);
    if (other == nullptr) return report_skipped(context, type);
    const Node* spec = root.find("spec");
    if (spec == nullptr && other->spec_required) context.error(root.at_key("spec"), "spec is required");
    if (spec != nullptr && other->check != nullptr) root.map("spec", other->check, Fields::Unknown::kIgnore);
    schema::check(context, crd, yaml::find(node, "spec"), root.at_key("spec"), true);
    if (other->missed.empty()) return report_skipped(context, type);
    context.warn(type.kind.at, code::kNotEnforced,
                 type.kind.value + " " + quote(meta.name) + " is not honoured: " + std::string(other->missed));
  }

  void read_list(Context& context, const Node& node, const Type& type, uint64_t fingerprint, int depth) {
    const Node& items = *yaml::find(node, "items");
    if (items.is_null()) return;
    if (!items.is_sequence()) {
      context.error(items.at, "items must be a list, it is " + std::string(items.describe()));
      return;
    }
    if (depth >= kMaxListDepth) {
      context.error(items.at, "lists are nested more than 4 deep", {}, code::kLimit);
      return;
    }
    const std::string item_kind =
        type.kind.value == "List" ? "" : type.kind.value.substr(0, type.kind.value.size() - 4);
    const std::string item_version = item_kind.empty() ? "" : type.api_version.value;
    for (const Node* item : items.items) read_item(*item, fingerprint, item_version, item_kind, depth + 1);
  }

  void read_object(Context& context, const Node& node, const KindInfo& kind, const std::string& api_version,
                   uint64_t fingerprint) {
    auto object = std::make_shared<AnyObject>(kind.make());
    Fields root(context, node, {});
    root.ignore({"apiVersion", "kind"});
    Metadata& meta = std::visit([](auto& alternative) -> Metadata& { return alternative.meta; }, *object);
    meta.kind = kind.kind;
    meta.api_version = api_version;
    meta.file = file_.name;
    read_metadata(root, meta);
    // Its place tells apart what is written twice.
    meta.fingerprint = hash64(std::to_string(meta.at.line) + ":" + std::to_string(meta.at.column), fingerprint);
    kind.read(root, *object);
    root.finish(kind.strict ? Fields::Unknown::kWarn : Fields::Unknown::kIgnore);
    const schema::Kind* crd = schema::find_kind(api_version, kind.name);
    if (crd != nullptr) schema::check(context, *crd, yaml::find(node, "spec"), root.at_key("spec"), false);
    (context.failed() ? file_.rejected : file_.objects).push_back(std::move(object));
  }

  static void report_skipped(Context& context, const Type& type) {
    const std::string what = type.kind.value + " (" + type.api_version.value + ")";
    const std::string_view group = group_of(type.api_version.value);
    if (const KindInfo* known = find_kind_in_group(group, type.kind.value); known != nullptr && !group.empty()) {
      std::string versions = known->api_version();
      for (const std::string_view version : known->versions.subspan(1)) {
        versions += (version == known->versions.back() ? " or " : ", ") + std::string(version);
      }
      context.warn(type.api_version.at, code::kSkippedKind,
                   "skipped: " + what + " is of a version that Weir does not read", versions);
    } else if (group == gateway_api::kGroup || group == gateway_api::kExperimentalGroup) {
      context.warn(type.kind.at, code::kSkippedKind, "skipped: Weir does not honour kind " + what);
    } else {
      context.info(type.kind.at, code::kSkippedKind, "skipped: kind " + what + " is not used by Weir");
    }
  }

  void read_mesh_document(Context& context, const Node& root) {
    context.object = "MeshConfig";
    if (file_.mesh) {
      context.error(root.at, "mesh settings are given twice in this file", {}, code::kDuplicateObject);
      return;
    }
    MeshConfig mesh;
    Fields fields(context, root, {});
    read_mesh(fields, mesh);  // the many other fields are the control plane's
    file_.mesh = mesh;
  }

  /// The ConfigMap `istio` holds the MeshConfig as text under `mesh`. False: another ConfigMap.
  bool read_mesh_config_map(const Node& node) {
    const Node* metadata = yaml::find(node, "metadata");
    const Node* name = metadata == nullptr ? nullptr : yaml::find(*metadata, "name");
    const Node* data = yaml::find(node, "data");
    const Node* mesh = data == nullptr ? nullptr : yaml::find(*data, "mesh");
    if (name == nullptr || name->text != "istio" || mesh == nullptr || !mesh->is_scalar()) return false;
    Context context(file_.diagnostics, file_.name);
    context.object = "ConfigMap istio";
    yaml::parse(
        mesh->text,
        [&](const Node& root, std::string_view) {
          // Places inside of the text are not places of the file: faults show at the text's start.
          Diagnostics inner;
          Context inside(inner, file_.name);
          MeshConfig config;
          Fields fields(inside, root, {});
          read_mesh(fields, config);
          for (const Diagnostic& diagnostic : inner) {
            if (diagnostic.level == Level::kError) {
              context.error(mesh->at, "mesh: " + diagnostic.message, diagnostic.hint);
            } else {
              file_.diagnostics.push_back({diagnostic.level, diagnostic.code, "mesh: " + diagnostic.message,
                                           diagnostic.hint, file_.name, mesh->at, context.object});
            }
          }
          file_.mesh = config;
        },
        [&](const yaml::Problem& problem) {
          context.error(mesh->at, "mesh: " + problem.message, problem.hint, problem.code);
        });
    return true;
  }

  ParsedFile& file_;
};

std::string text_of(const Node& map, std::string_view key) {
  const Node* value = yaml::find(map, key);
  return value != nullptr && value->is_scalar() ? value->text : "";
}

/// Equal for values that say the same in the same order.
uint64_t hash_of(const Node& node) {
  uint64_t hash = hash64(node.text, static_cast<uint64_t>(node.type) * 2 + (node.quoted ? 1 : 0));
  for (const Node* item : node.items) hash = hash64(std::string_view("+"), hash ^ hash_of(*item));
  return hash;
}

/// "VirtualService/default/reviews@1234"; of what has no name, the source's.
std::string place_of(const Node& object, std::string_view source, std::string_view list_kind) {
  const Node* meta = yaml::find(object, "metadata");
  const std::string name = meta == nullptr ? "" : text_of(*meta, "name");
  std::string kind = text_of(object, "kind");
  if (kind.empty()) kind = list_kind;
  if (name.empty() || kind.empty()) return std::string(source);
  const std::string space = text_of(*meta, "namespace");
  return kind + "/" + (space.empty() ? "" : space + "/") + name + "@" + text_of(*meta, "resourceVersion");
}

}  // namespace

ParsedFile read_yaml(std::string_view text, std::string file_name) {
  ParsedFile file;
  file.name = std::move(file_name);
  FileReader reader(file);
  yaml::parse(
      text, [&](const Node& root, std::string_view document) { reader.read_document(root, hash64(document)); },
      [&](const yaml::Problem& problem) {
        Context(file.diagnostics, file.name).error(problem.at, problem.message, problem.hint, problem.code);
      });
  std::stable_sort(file.diagnostics.begin(), file.diagnostics.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return a.at < b.at; });
  return file;
}

void read_json(std::string_view text, std::string_view source, const std::function<void(ParsedFile object)>& each) {
  const auto read = [&](const Node& node, uint64_t fingerprint, std::string_view version, std::string_view kind) {
    ParsedFile file;
    file.name = place_of(node, source, kind);
    FileReader(file).read_alone(node, fingerprint, version, kind);
    each(std::move(file));
  };
  const auto problem = json::parse(text, [&](const Node& root) {
    const Node* items = yaml::find(root, "items");
    const std::string kind = text_of(root, "kind");
    if (items == nullptr || !items->is_sequence() || !kind.ends_with("List")) return read(root, hash_of(root), {}, {});
    const std::string version = kind == "List" ? "" : text_of(root, "apiVersion");
    const std::string item_kind = kind == "List" ? "" : kind.substr(0, kind.size() - 4);
    for (const Node* item : items->items) read(*item, hash_of(*item), version, item_kind);
  });
  if (!problem) return;
  ParsedFile file;
  file.name = source;
  Context(file.diagnostics, file.name).error({}, problem->message, problem->hint, problem->code);
  each(std::move(file));
}

}  // namespace weir::config
