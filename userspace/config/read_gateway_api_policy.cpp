#include <algorithm>

#include "config/read.h"
#include "config/read_gateway_api.h"

// ReferenceGrant, BackendTLSPolicy.

namespace weir::config::gateway_api {
namespace {

using Target = BackendTlsPolicy::Target;
using Name = BackendTlsPolicy::SubjectAltName;

Target read_target(Fields& fields) {
  Target target;
  auto reference = read_reference(fields, nullptr, nullptr);
  target.at = reference.at;
  target.group = std::move(reference.group);
  target.kind = std::move(reference.kind);
  target.name = std::move(reference.name);
  target.section_name = read_checked(fields, "sectionName", check_subdomain).value;
  return target;
}

void check_targets(Context& context, const std::vector<Target>& targets) {
  for (size_t i = 0; i < targets.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const Target& a = targets[i];
      const Target& b = targets[j];
      if (a.group != b.group || a.kind != b.kind || a.name.value != b.name.value) continue;
      const bool same_form = a.section_name.empty() == b.section_name.empty();
      if (same_form && a.section_name != b.section_name) continue;
      context.error(a.at, std::string("sectionName must be ") + (same_form ? "unique" : "specified") +
                              " when targetRefs includes 2 or more references to the same target");
      return;
    }
  }
}

/// A scheme, "://" and something.
Wrong check_uri(std::string_view text) {
  const size_t colon = text.find(':');
  if (text.size() > 253) return "is longer than 253 characters";
  if (colon == std::string_view::npos || colon == 0 || !text.substr(colon).starts_with("://") ||
      text.substr(0, colon).find_first_of("/?#") != std::string_view::npos) {
    return "is not a URI with scheme and host";
  }
  return std::nullopt;
}

Name read_alt_name(Fields& fields) {
  Name name;
  name.at = fields.at();
  require(fields, "type");
  const auto type = fields.choice<Name::Type>("type", {{"Hostname", Name::Type::kHostname}, {"URI", Name::Type::kUri}});
  const auto host = read_checked(fields, "hostname", check_hostname);
  const auto uri = read_checked(fields, "uri", check_uri);
  if (!type) return name;
  name.type = type->value;
  const bool is_host = name.type == Name::Type::kHostname;
  const Located<std::string>& mine = is_host ? host : uri;
  const Located<std::string>& other = is_host ? uri : host;
  const std::string kind = is_host ? "Hostname" : "URI";
  if (mine.at.line == 0 && mine.value.empty()) {
    fields.context.error(fields.at(),
                         fields.child(is_host ? "hostname" : "uri").text() + " is required for type " + kind);
  }
  if (!other.value.empty()) {
    fields.context.error(other.at,
                         fields.child(is_host ? "uri" : "hostname").text() + " must not be there: type is " + kind);
  }
  name.value = mine.value;
  return name;
}

Wrong check_well_known(std::string_view text) {
  const size_t slash = text.find('/');
  if (text == "System") return std::nullopt;
  if (slash != std::string_view::npos && text.size() <= 253 && !check_subdomain(text.substr(0, slash)) &&
      !check_label(text, "")) {
    return std::nullopt;
  }
  return "has no such choice: System, or a domain, \"/\" and a name";
}

void read_validation(Fields& fields, BackendTlsPolicy& object) {
  if (require(fields, "hostname")) object.hostname = read_checked(fields, "hostname", check_subdomain);
  check_size(fields, "caCertificateRefs", 0, 8);
  fields.each("caCertificateRefs",
              [&](Fields& item) { object.ca_certificate_refs.push_back(read_reference(item, nullptr, nullptr)); });
  object.well_known_ca_certificates = read_checked(fields, "wellKnownCACertificates", check_well_known).value;
  const bool refs = !is_absent_or_empty(fields, "caCertificateRefs");
  if (refs && !object.well_known_ca_certificates.empty()) {
    fields.context.error(fields.at(), "must not contain both caCertificateRefs and wellKnownCACertificates");
  } else if (!refs && !fields.present("wellKnownCACertificates")) {
    fields.context.error(fields.at(), "must specify either caCertificateRefs or wellKnownCACertificates",
                         "wellKnownCACertificates: System");
  }
  check_size(fields, "subjectAltNames", 0, 5);
  fields.each("subjectAltNames", [&](Fields& item) { object.subject_alt_names.push_back(read_alt_name(item)); });
}

}  // namespace

void read_reference_grant(Fields& spec, ReferenceGrant& object) {
  check_size(spec, "from", 1, 16);
  spec.each("from", [&](Fields& item) {
    require(item, "namespace");
    auto from = read_grant_side(item);
    object.from.push_back({item.at(), std::move(from.group), std::move(from.kind), std::move(from.namespace_)});
  });
  check_size(spec, "to", 1, 16);
  spec.each("to", [&](Fields& item) {
    auto to = read_grant_side(item);
    object.to.push_back({item.at(), std::move(to.group), std::move(to.kind), read_text(item, "name").value});
  });
}

void read_backend_tls_policy(Fields& spec, BackendTlsPolicy& object) {
  check_size(spec, "targetRefs", 1, 16);
  spec.each("targetRefs", [&](Fields& item) { object.targets.push_back(read_target(item)); });
  check_targets(spec.context, object.targets);
  require(spec, "validation");
  spec.map("validation", [&](Fields& inner) { read_validation(inner, object); });
  spec.context.warn(object.meta.at, code::kTlsOrigination,
                    "BackendTLSPolicy is not honoured: Weir does not begin TLS to endpoints; bytes go as they come");
  object.options = read_options(spec, "options", 16, 4096);
}

}  // namespace weir::config::gateway_api
