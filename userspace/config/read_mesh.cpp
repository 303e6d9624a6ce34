#include <algorithm>

#include "config/read.h"
#include "config/schema.h"

namespace weir::config {
namespace {

/// Settings that concern the traffic that Weir carries; all others are those of Istio's proxies and control plane.
constexpr std::string_view kOfTraffic[] = {"connectTimeout",
                                           "defaultDestinationRuleExportTo",
                                           "defaultHttpRetryPolicy",
                                           "defaultServiceExportTo",
                                           "defaultTrafficPolicy",
                                           "defaultVirtualServiceExportTo",
                                           "h2UpgradePolicy",
                                           "localityLbSetting",
                                           "meshMTLS",
                                           "protocolDetectionTimeout",
                                           "serviceEntryVisibility",
                                           "serviceSettings",
                                           "tcpKeepalive",
                                           "tlsDefaults",
                                           "zoneAwareLbSetting"};

/// Every field that is not read: a warning where traffic goes another way than it asks for.
void report_unread(Fields& root) {
  for (const std::string_view name : schema::mesh_fields()) {
    if (name == "rootNamespace" || name == "outboundTrafficPolicy" || name == "pathNormalization") continue;
    if (root.find(name) == nullptr) continue;
    const Position at = root.at_key(name);
    const std::string field = root.child(name).text();
    if (std::find(std::begin(kOfTraffic), std::end(kOfTraffic), name) != std::end(kOfTraffic)) {
      root.context.warn(at, code::kMeshSetting,
                        field + " is not honoured: Weir has its own default; set it on the objects");
    } else {
      root.context.info(at, code::kMeshSetting,
                        field + " has no effect: it is a setting of Istio's proxies or control plane");
    }
  }
}

}  // namespace

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
  report_unread(root);
  root.finish(Fields::Unknown::kWarn);
}

}  // namespace weir::config
