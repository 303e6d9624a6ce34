#include "config/other_kinds.h"

namespace weir::config {
namespace {

constexpr auto kIgnore = Fields::Unknown::kIgnore;

void check_target_ref(Fields& ref) {
  const auto kind = ref.located("kind");
  const std::string group = ref.text("group");
  ref.ignore({"name", "namespace"});
  struct Allowed {
    std::string_view group, kind;
  };
  for (const Allowed& allowed : {Allowed{"", "Service"},
                                 {"core", "Service"},
                                 {"networking.istio.io", "ServiceEntry"},
                                 {"gateway.networking.k8s.io", "Gateway"},
                                 {"gateway.networking.k8s.io", "GatewayClass"}}) {
    if (group == allowed.group && kind.value == allowed.kind) return;
  }
  if (kind.value.empty()) return;  // its CRD says so
  ref.context.error(kind.at, ref.path().text() +
                                 " must refer to a Service, ServiceEntry, Gateway or GatewayClass, it is " +
                                 quote(group + "/" + kind.value));
}

/// What of `metadata.labels` and `metadata.annotations` the workloads get, and how they are asked for their health.
void check_probe(Fields& probe) {
  int methods = 0;
  for (const std::string_view key : {"httpGet", "tcpSocket", "exec", "grpc"}) methods += probe.find(key) != nullptr;
  if (methods == 0)
    probe.context.error(probe.at(), probe.path().text() + " needs a method: httpGet, tcpSocket, exec or grpc");
  probe.map(
      "exec",
      [](Fields& exec) {
        if (is_absent_or_empty(exec, "command")) exec.context.error(exec.at(), "exec.command is required");
      },
      kIgnore);
}

/// A patch of Envoy's configuration: where, and what is done there.
void check_patch(Fields& item) {
  Context& context = item.context;
  const std::string apply_to = item.text("applyTo");
  if (apply_to.empty() || apply_to == "INVALID") context.error(item.at(), item.path().text() + " needs applyTo");
  if (item.find("patch") == nullptr) context.error(item.at(), item.path().text() + " needs a patch");
  item.map(
      "patch",
      [](Fields& patch) {
        const std::string operation = patch.text("operation");
        if (operation.empty() || operation == "INVALID") {
          patch.context.error(patch.at(), patch.path().text() + " needs an operation");
        } else if (operation != "REMOVE" && patch.find("value") == nullptr) {
          patch.context.error(patch.at(), patch.path().text() + " needs a value for operation " + operation);
        }
      },
      kIgnore);
}

}  // namespace

void check_target_refs(Fields& spec) {
  spec.map("targetRef", check_target_ref, kIgnore);
  spec.each("targetRefs", check_target_ref, kIgnore);
}

void check_workload_group(Fields& spec) {
  if (spec.find("template") == nullptr) spec.context.error(spec.at(), spec.child("template").text() + " is required");
  spec.map(
      "metadata", [](Fields& metadata) { read_checked_labels(metadata, "labels"); }, kIgnore);
  spec.map("probe", check_probe, kIgnore);
}

void check_envoy_filter(Fields& spec) {
  check_target_refs(spec);
  spec.each("configPatches", check_patch, kIgnore);
}

const OtherKind* find_other_kind(std::string_view name) {
  static constexpr OtherKind kKinds[] = {
      {"AuthorizationPolicy", "nobody enforces it: requests and connections that it denies are let through",
       check_authorization_policy, false},
      {"PeerAuthentication", "nobody enforces it: connections without mutual TLS are let through", nullptr, false},
      {"RequestAuthentication", "nobody enforces it: requests with bad tokens are let through",
       check_request_authentication, false},
      {"EnvoyFilter", "there is no Envoy: its patches are not applied", check_envoy_filter, false},
      {"WasmPlugin", "there is no Envoy: the plugin does not run", check_target_refs, true},
      {"TrafficExtension", "there is no Envoy: the extension does not run", check_target_refs, true},
      {"Sidecar", "", check_sidecar, true},
      {"Telemetry", "", check_target_refs, false},
      {"ProxyConfig", "", nullptr, false},
      {"WorkloadGroup", "", check_workload_group, true},
  };
  for (const OtherKind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace weir::config
