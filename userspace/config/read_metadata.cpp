#include "base/hash.h"
#include "config/kinds.h"
#include "config/read.h"
#include "config/scalars.h"

namespace weir::config {
namespace {

/// The weir.dev/ annotations of a VirtualService (design.md sections 3, 4 and 6).
void check_annotation(Context& context, const std::string& name, const std::string& value, Position name_at,
                      Position at) {
  if (name == "weir.dev/split") {
    if (value == "request" || value == "connection") return;
    context.error(at, "annotation weir.dev/split has no choice " + quote(value), "choices are request, connection",
                  code::kInvalidAnnotation);
  } else if (name == "weir.dev/on-proxy-failure") {
    if (value == "split" || value == "refuse") return;
    context.error(at, "annotation weir.dev/on-proxy-failure has no choice " + quote(value), "choices are split, refuse",
                  code::kInvalidAnnotation);
  } else if (name == "weir.dev/sticky") {
    if (value == "source-ip") return;
    for (const std::string_view kind : {"header:", "cookie:", "query:"}) {
      if (value.starts_with(kind) && value.size() > kind.size() && !check_header_name(value.substr(kind.size())))
        return;
    }
    context.error(at, "annotation weir.dev/sticky has no choice " + quote(value),
                  "choices are source-ip, header:NAME, cookie:NAME, query:NAME", code::kInvalidAnnotation);
  } else {
    context.warn(name_at, code::kUnknownAnnotation, "annotation " + quote(name) + " is unknown",
                 "on a VirtualService: weir.dev/split, weir.dev/on-proxy-failure, weir.dev/sticky");
  }
}

void read_annotations(Fields& fields, Metadata& meta) {
  fields.members("annotations", [&](const std::string& name, Position at, const Node& value) {
    const Path path = fields.child("annotations");
    const auto text = string_of(fields.context, value, {&path, name});
    if (!text) return;
    meta.annotations[name] = *text;
    meta.annotations_at[name] = at;
    if (meta.kind == Kind::kVirtualService && name.starts_with("weir.dev/"))
      check_annotation(fields.context, name, *text, at, value.at);
  });
}

void read_fields(Fields& fields, Metadata& meta) {
  const auto name = fields.located("name");
  meta.name = name.value;
  if (name.at.line > 0) meta.name_at = name.at;
  const auto space = fields.located("namespace");
  if (!info(meta.kind).cluster_scoped && !space.value.empty()) meta.namespace_ = space.value;
  fields.context.namespace_ = meta.namespace_;
  fields.context.object = meta.describe();
  if (fields.missing("name")) {
    fields.context.error(fields.at(), "metadata.name is required");
  } else if (!name.value.empty()) {
    fields.context.check(name.at, "metadata.name " + quote(name.value), check_object_name(name.value));
  }
  if (!space.value.empty() && !is_dns_label(space.value)) {
    fields.context.error(space.at, "metadata.namespace " + quote(space.value) + " is not a namespace",
                         "lower-case letters, digits and \"-\", at most 63");
  }
  meta.uid = fields.text("uid");
  meta.resource_version = fields.text("resourceVersion");
  if (const auto generation = fields.integer("generation", 0, INT64_MAX)) meta.generation = generation->value;
  meta.labels = fields.labels("labels");
  read_annotations(fields, meta);
  const auto created = fields.located("creationTimestamp");
  if (created.value.empty()) return;
  if (const auto seconds = parse_timestamp(created.value)) {
    meta.creation_timestamp = *seconds;
  } else {
    fields.context.error(created.at, "creationTimestamp " + quote(created.value) + " is not an RFC 3339 time",
                         "such as 2024-01-01T00:00:00Z");
  }
}

}  // namespace

void read_metadata(Fields& root, Metadata& meta) {
  meta.at = root.node().items.empty() ? root.at() : root.node().items.front()->at;
  meta.name_at = meta.at;
  meta.namespace_ = info(meta.kind).cluster_scoped ? "" : "default";
  root.context.namespace_ = meta.namespace_;
  root.context.object = meta.describe();
  if (!root.map(
          "metadata", [&](Fields& fields) { read_fields(fields, meta); }, Fields::Unknown::kIgnore) &&
      root.find("metadata") == nullptr) {
    root.context.error(meta.at, "metadata is required, with a name");
  }
}

}  // namespace weir::config
