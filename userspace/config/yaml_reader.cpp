#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "config/read.h"
#include "config/store.h"

namespace weir::config {
namespace {

constexpr int kMaxListDepth = 4;  // a List of Lists of ...

bool is_istio(std::string_view api_version) {
  return api_version == "networking.istio.io/v1" || api_version == "networking.istio.io/v1beta1" ||
         api_version == "networking.istio.io/v1alpha3";
}

/// The kind that Weir reads, if this is one.
std::optional<Kind> known_kind(std::string_view api_version, std::string_view kind) {
  struct Known {
    Kind kind;
    std::string_view api_version;  // empty: Istio's
  };
  constexpr Known kKnown[] = {{Kind::kVirtualService, ""}, {Kind::kDestinationRule, ""},
                              {Kind::kGateway, ""},        {Kind::kServiceEntry, ""},
                              {Kind::kWorkloadEntry, ""},  {Kind::kService, "v1"},
                              {Kind::kEndpoints, "v1"},    {Kind::kPod, "v1"},
                              {Kind::kNamespace, "v1"},    {Kind::kEndpointSlice, "discovery.k8s.io/v1"}};
  for (const Known& known : kKnown) {
    if (kind != to_string(known.kind)) continue;
    if (known.api_version.empty() ? is_istio(api_version) : api_version == known.api_version) return known.kind;
  }
  return std::nullopt;
}

bool looks_like_mesh(const Node& root) {
  for (const std::string_view key :
       {"pathNormalization", "outboundTrafficPolicy", "rootNamespace", "defaultConfig", "clusterDomain", "trustDomain",
        "accessLogFile", "enableAutoMtls", "meshMTLS", "localityLbSetting", "discoverySelectors", "extensionProviders",
        "serviceSettings"}) {
    if (yaml::find(root, key) != nullptr) return true;
  }
  return false;
}

/// Reads `spec` into an Istio object.
template <class Object, class Read>
void read_spec(Fields& root, Object& object, Read read) {
  root.ignore({"status"});
  if (root.find("spec") == nullptr) {
    // Of a half-written file one fault is enough.
    if (!root.context.failed()) root.context.error(object.meta.name_at, "spec is required");
    return;
  }
  root.map("spec", [&](Fields& spec) { read(spec, object); });
}

AnyObject make_object(Kind kind) {
  switch (kind) {
    case Kind::kVirtualService:
      return VirtualService{};
    case Kind::kDestinationRule:
      return DestinationRule{};
    case Kind::kGateway:
      return Gateway{};
    case Kind::kServiceEntry:
      return ServiceEntry{};
    case Kind::kWorkloadEntry:
      return WorkloadEntry{};
    case Kind::kService:
      return Service{};
    case Kind::kEndpoints:
      return Endpoints{};
    case Kind::kEndpointSlice:
      return EndpointSlice{};
    case Kind::kPod:
      return Pod{};
    case Kind::kNamespace:
      return Namespace{};
  }
  return Namespace{};
}

struct BodyReader {
  Fields& root;
  void operator()(VirtualService& object) { read_spec(root, object, read_virtual_service); }
  void operator()(DestinationRule& object) { read_spec(root, object, read_destination_rule); }
  void operator()(Gateway& object) { read_spec(root, object, read_gateway); }
  void operator()(ServiceEntry& object) {
    read_spec(root, object, read_service_entry);
    root.map(
        "status",
        [&](Fields& status) {
          status.each(
              "addresses", [&](Fields& item) { object.allocated_addresses.push_back(item.text("value")); },
              Fields::Unknown::kIgnore);
        },
        Fields::Unknown::kIgnore);
  }
  void operator()(WorkloadEntry& object) { read_spec(root, object, read_workload_entry); }
  void operator()(Service& object) { read_service(root, object); }
  void operator()(Endpoints& object) { read_endpoints(root, object); }
  void operator()(EndpointSlice& object) { read_endpoint_slice(root, object); }
  void operator()(Pod& object) { read_pod(root, object); }
  void operator()(Namespace& /*object*/) {}
};

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
    if (yaml::find(root, "kind") == nullptr && looks_like_mesh(root)) {
      read_mesh_document(context, root);
      return;
    }
    read_item(root, fingerprint, {}, {}, 0);
  }

 private:
  struct Type {
    Located<std::string> api_version, kind;
  };

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
    } else if (const auto known = known_kind(type->api_version.value, kind)) {
      read_object(context, node, *known, type->api_version.value, fingerprint);
    } else if (kind == "ConfigMap" && type->api_version.value == "v1" && read_mesh_config_map(node)) {
      return;
    } else {
      report_skipped(context, *type);
    }
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

  void read_object(Context& context, const Node& node, Kind kind, const std::string& api_version,
                   uint64_t fingerprint) {
    auto object = std::make_shared<AnyObject>(make_object(kind));
    Fields root(context, node, {});
    root.ignore({"apiVersion", "kind"});
    Metadata& meta = std::visit([](auto& alternative) -> Metadata& { return alternative.meta; }, *object);
    meta.kind = kind;
    meta.api_version = api_version;
    meta.file = file_.name;
    read_metadata(root, meta);
    // Its place tells apart what is written twice.
    meta.fingerprint = hash64(std::to_string(meta.at.line) + ":" + std::to_string(meta.at.column), fingerprint);
    std::visit(BodyReader{root}, *object);
    if (is_istio(api_version)) root.finish(Fields::Unknown::kWarn);
    (context.failed() ? file_.rejected : file_.objects).push_back(std::move(object));
  }

  static void report_skipped(Context& context, const Type& type) {
    const std::string what = type.kind.value + " (" + type.api_version.value + ")";
    bool ours = type.api_version.value.starts_with("networking.istio.io/") ||
                type.api_version.value == "discovery.k8s.io/v1beta1";
    ours = ours && (known_kind("networking.istio.io/v1", type.kind.value) || type.kind.value == "EndpointSlice");
    if (ours) {
      context.warn(
          type.api_version.at, code::kSkippedKind, "skipped: " + what + " is of a version that Weir does not read",
          type.kind.value == "EndpointSlice" ? "discovery.k8s.io/v1" : "networking.istio.io/v1, v1beta1 or v1alpha3");
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
          for (const Diagnostic& diagnostic : inner)
            context.error(mesh->at, "mesh: " + diagnostic.message, diagnostic.hint);
          file_.mesh = config;
        },
        [&](const yaml::Problem& problem) {
          context.error(mesh->at, "mesh: " + problem.message, problem.hint, problem.code);
        });
    return true;
  }

  ParsedFile& file_;
};

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

}  // namespace weir::config
