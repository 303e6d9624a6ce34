#include "config/read.h"

namespace weir::config {

void read_mesh(Fields& root, MeshConfig& mesh) {
  const auto read_name = [&](std::string_view key, std::string& into) {
    const auto name = root.located(key);
    if (name.value.empty()) return;
    root.context.check(name.at, std::string(key) + " " + quote(name.value), check_fqdn(name.value));
    into = name.value;
  };
  read_name("rootNamespace", mesh.root_namespace);
  read_name("clusterDomain", mesh.cluster_domain);
  root.map("outboundTrafficPolicy", [&](Fields& policy) {
    using Policy = MeshConfig::OutboundPolicy;
    const auto mode =
        policy.choice<Policy>("mode", {{"REGISTRY_ONLY", Policy::kRegistryOnly}, {"ALLOW_ANY", Policy::kAllowAny}});
    if (mode) mesh.outbound_traffic_policy = mode->value;
  });
  root.map("pathNormalization", [&](Fields& normalization) {
    using Mode = MeshConfig::PathNormalization;
    const auto choice =
        normalization.choice<Mode>("normalization", {{"DEFAULT", Mode::kBase},
                                                     {"NONE", Mode::kNone},
                                                     {"BASE", Mode::kBase},
                                                     {"MERGE_SLASHES", Mode::kMergeSlashes},
                                                     {"DECODE_AND_MERGE_SLASHES", Mode::kDecodeAndMergeSlashes}});
    if (choice) mesh.path_normalization = choice->value;
  });
}

}  // namespace weir::config
