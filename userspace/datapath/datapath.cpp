#include "datapath/datapath.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "datapath/bpffs.h"
#include "datapath/cgroup.h"
#include "datapath/drift_check.h"
#include "datapath/drift_text.h"
#include "datapath/kernel_object.h"
#include "datapath/map_home.h"
#include "datapath/map_writer.h"
#include "datapath/proxy_maps.h"
#include "datapath/read_maps.h"
#include "datapath/service_delta.h"
#include "datapath/steps.h"

namespace weir::datapath {
namespace {

uint64_t monotonic_ns() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

uint64_t unix_ns() {
  return static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

abi::meta make_meta(const std::string& node) {
  abi::meta meta{};
  meta.abi = abi::ABI_VERSION;
  meta.phase = hash64(node);
  std::memcpy(meta.node, node.data(), std::min(node.size(), sizeof(meta.node) - 1));
  return meta;
}

Result<void> check_sizes(const MapSizes& sizes) {
  if (sizes.frontends == 0 || sizes.splits < 2 || sizes.endpoints < 2 || sizes.counters < 2 || sizes.sockets == 0 ||
      sizes.sources == 0 || sizes.redirects == 0)
    return Error{"a map cannot be of size 0 (splits, endpoints and counters need 2)", EINVAL};
  if (sizes.endpoints > abi::MAX_ENDPOINTS)
    return Error{"at most " + std::to_string(abi::MAX_ENDPOINTS) + " endpoints", EINVAL};
  return {};
}

/// Whether ports of the proxy may have to be given or be free now.
bool concerns_proxy(const ServiceDelta& delta) {
  const auto proxied = [](const auto& service) {
    return std::any_of(service->frontends.begin(), service->frontends.end(),
                       [](const routing::PlanFrontend& frontend) { return frontend.proxied; });
  };
  return std::any_of(delta.added.begin(), delta.added.end(), proxied) ||
         std::any_of(delta.removed.begin(), delta.removed.end(), proxied);
}

}  // namespace

struct Datapath::Impl {
  Options options;
  std::string cgroup_path;
  FileDescriptor cgroup, lock;
  KernelFeatures features;
  Home home;
  std::optional<ProxyMaps> proxy;
  std::string why_no_proxy;
  std::optional<MapState> state;
  Services applied;
  uint64_t generation = 0;
  bool applied_once = false;
  bool complete = false;    // the maps hold `applied` and nothing else, as far as we know
  bool conflicted = false;  // two services claim the same place: the order of all of them matters
  bool stale = true;        // the maps must be read before the next diff
  bool attached = false;

  void log(const std::string& line) const {
    if (options.log) options.log(line);
  }
  [[nodiscard]] std::string directory() const { return options.bpffs_dir; }

  Result<void> read_back();
  Result<WantedImages> want(const routing::Plan& plan, const ServiceDelta& delta, const ProxyPorts& ports);
  Result<Changes> diff_patiently(const Wanted& wanted, uint64_t for_generation);
  Result<uint64_t> write(const Changes& changes);
  Result<void> write_generation(uint64_t to);
  Result<ApplyReport> apply(const routing::Plan& plan);
  Result<void> mend_services(ReconcileReport* report);
  Result<void> mend_maps(ReconcileReport* report, Look look);
  Result<void> mend_pins(ReconcileReport* report);
  [[nodiscard]] PortRange proxy_ports() const { return {options.proxy_port_first, options.proxy_port_count}; }
  Result<void> attach();
  Result<void> take_over();
};

Result<void> Datapath::Impl::read_back() {
  auto frontends = home.maps.frontends().read_all();
  if (!frontends) return std::move(frontends).error();
  auto splits = home.maps.splits().read_all();
  if (!splits) return std::move(splits).error();
  if (!state)
    state.emplace(home.maps.memory(), options.sizes.frontends, options.sizes.splits, make_meta(options.node).phase);
  state->rebuild(*frontends, *splits);
  stale = false;
  return {};
}

Result<WantedImages> Datapath::Impl::want(const routing::Plan& plan, const ServiceDelta& delta,
                                          const ProxyPorts& ports) {
  if (complete && !conflicted) {
    bool fits = false;
    auto wanted = want_delta(delta, *state, &fits, &ports);
    if (!wanted || fits) return wanted;
  }
  return want_all(plan.services, &ports);
}

Result<Changes> Datapath::Impl::diff_patiently(const Wanted& wanted, uint64_t for_generation) {
  auto changes = diff(*state, wanted, for_generation, monotonic_ns());
  if (changes || changes.error().code != ENOSPC) return changes;
  if (state->ranges.resting() + state->split_ids.resting() == 0) return changes;
  // What was freed a moment ago may be all that is missing.
  wait_for_programs();
  state->ranges.wake_all();
  state->split_ids.wake_all();
  return diff(*state, wanted, for_generation, monotonic_ns());
}

Result<void> Datapath::Impl::write_generation(uint64_t to) {
  abi::meta meta = make_meta(options.node);
  meta.generation = to;
  meta.written_at = unix_ns();
  before_step("write meta");
  return home.maps.write_meta(meta);
}

/// The nanoseconds that it took.
Result<uint64_t> Datapath::Impl::write(const Changes& changes) {
  if (changes.operations() == 0) return uint64_t{0};
  const uint64_t start = monotonic_ns();
  if (auto written = write_changes(home.maps, changes, unix_ns()); !written) {
    stale = true;
    complete = false;
    return std::move(written).error();
  }
  const uint64_t end = monotonic_ns();
  commit(*state, changes, end);
  return end - start;
}

Result<ApplyReport> Datapath::Impl::apply(const routing::Plan& plan) {
  const uint64_t start = monotonic_ns();
  if (stale) WEIR_TRY(read_back());
  const ServiceDelta delta = compare_services(applied, plan.services);
  if (!complete || concerns_proxy(delta)) WEIR_TRY(proxy->reserve(home.maps, plan, unix_ns()));
  auto wanted = want(plan, delta, proxy->ports());
  if (!wanted) return std::move(wanted).error();
  auto changes = diff_patiently(wanted->wanted, plan.generation);
  if (!changes) return std::move(changes).error();
  const auto written = write(*changes);
  if (!written) return written.error();
  if (changes->operations() > 0 || generation != plan.generation) WEIR_TRY(write_generation(plan.generation));
  replace_services(applied, plan.services, delta);
  conflicted = !changes->warnings.empty();
  applied_once = complete = true;
  generation = plan.generation;
  ApplyReport report{.generation = plan.generation,
                     .operations = changes->operations(),
                     .frontends = changes->frontends.size(),
                     .splits = changes->splits.size(),
                     .endpoints = changes->endpoints.size(),
                     .deletions = changes->gone_frontends.size() + changes->gone_splits.size(),
                     .nanoseconds = 0,
                     .write_nanoseconds = *written,
                     .warnings = std::move(changes->warnings)};
  report.nanoseconds = monotonic_ns() - start;
  return report;
}

Result<void> Datapath::Impl::mend_services(ReconcileReport* report) {
  WEIR_TRY(read_back());
  auto wanted = want_all(applied, &proxy->ports());
  if (!wanted) return std::move(wanted).error();
  auto changes = diff_patiently(wanted->wanted, generation);
  if (!changes) return std::move(changes).error();
  report->drift = describe_before(*state, *changes);
  if (const auto written = write(*changes); !written) return written.error();
  const auto after = describe_after(*state, *changes);
  for (size_t i = 0; i < report->drift.size(); ++i) report->drift[i] += after[i];
  report->operations = changes->operations();
  return {};
}

Result<void> Datapath::Impl::mend_maps(ReconcileReport* report, Look look) {
  if (look == Look::kEverything || stale) WEIR_TRY(mend_services(report));
  WEIR_TRY(proxy->mend(home.maps, &report->drift, &report->operations));
  auto meta = home.maps.read_meta();
  if (!meta) return std::move(meta).error();
  if (meta->abi == abi::ABI_VERSION && meta->generation == generation) return {};
  report->drift.push_back("meta: was abi " + std::to_string(meta->abi) + " generation " +
                          std::to_string(meta->generation) + ", is abi " + std::to_string(abi::ABI_VERSION) +
                          " generation " + std::to_string(generation));
  ++report->operations;
  return write_generation(generation);
}

Result<void> Datapath::Impl::mend_pins(ReconcileReport* report) {
  const bool folder_gone = !exists(directory() + "/links");
  auto mounted = prepare_bpffs(directory());
  if (!mounted) return std::move(mounted).error();
  if (folder_gone) {
    auto again = lock_bpffs(directory());
    if (!again) return std::move(again).error();
    lock = *std::move(again);
  }
  if (!home.beside) {
    auto pinned = repin_maps(directory(), home.maps);
    if (!pinned) return std::move(pinned).error();
    report->hooks = *std::move(pinned);
  }
  if (!attached || hooks_alive(directory(), cgroup, home.programs)) return {};
  auto report_of_hooks = attach_hooks(directory(), cgroup, home.programs);
  if (!report_of_hooks) return std::move(report_of_hooks).error();
  for (const std::string& hook : report_of_hooks->made) report->hooks.push_back("hook " + hook);
  return {};
}

Datapath::Datapath(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Datapath::~Datapath() = default;
Datapath::Datapath(Datapath&&) noexcept = default;
Datapath& Datapath::operator=(Datapath&&) noexcept = default;

Result<Datapath> Datapath::open(Options options) {
  WEIR_TRY(check_sizes(options.sizes));
  WEIR_TRY(ProxyPorts::check_range(options.proxy_port_first, options.proxy_port_count));
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  const Options& chosen = impl->options;
  impl->cgroup_path = chosen.cgroup;
  if (chosen.cgroup.empty()) {
    auto root = find_cgroup2_root();
    if (!root) return std::move(root).error();
    impl->cgroup_path = *std::move(root);
  }
  auto cgroup = open_cgroup(impl->cgroup_path);
  if (!cgroup) return std::move(cgroup).error();
  impl->cgroup = *std::move(cgroup);
  auto mounted = prepare_bpffs(chosen.bpffs_dir);
  if (!mounted) return std::move(mounted).error();
  if (*mounted) impl->log("mounted a BPF file system at /sys/fs/bpf");
  auto lock = lock_bpffs(chosen.bpffs_dir);
  if (!lock) return std::move(lock).error();
  impl->lock = *std::move(lock);
  impl->features = kernel_features(probe_features());
  auto home = open_home(chosen.bpffs_dir, chosen.sizes, impl->features, make_meta(chosen.node), impl->proxy_ports());
  if (!home) return std::move(home).error();
  impl->home = *std::move(home);
  impl->proxy.emplace(chosen.proxy_port_first, chosen.proxy_port_count);
  WEIR_TRY(impl->proxy->adopt(impl->home.maps));
  WEIR_TRY(impl->read_back());
  if (!impl->features.proxy())
    impl->why_no_proxy = "this kernel lacks sock_ops, sk_lookup or sock_release programs (since Linux 5.9)";
  if (!impl->home.why_new.empty()) impl->log("making maps anew beside the pinned ones: " + impl->home.why_new);
  return Datapath(std::move(impl));
}

Result<ApplyReport> Datapath::apply(const routing::Plan& plan) {
  return impl_->apply(plan);
}

Result<std::string> Datapath::preview(const routing::Plan& plan) {
  if (impl_->stale) WEIR_TRY(impl_->read_back());
  ProxyPorts ports = impl_->proxy->ports();
  WEIR_TRY(ports.reserve(plan, unix_ns()));
  auto wanted = impl_->want(plan, compare_services(impl_->applied, plan.services), ports);
  if (!wanted) return std::move(wanted).error();
  auto changes = impl_->diff_patiently(wanted->wanted, plan.generation);
  if (!changes) return std::move(changes).error();
  undo(*impl_->state, *changes);
  std::string text;
  for (const std::string& line : to_lines(*changes)) text += line + "\n";
  return text;
}

/// The hooks run on the new maps: what programs had written in those before goes on in them.
Result<void> Datapath::Impl::take_over() {
  const bool handed = home.old_sockets || home.old_redirects;
  if (!home.beside && !exists(directory() + "/maps_old")) return {};
  WEIR_TRY(settle_in(directory(), &home));
  wait_for_programs();
  WEIR_TRY(move_in(directory(), &home));
  if (!handed) return {};
  auto programs = load_on(home, features, proxy_ports());
  if (!programs) return std::move(programs).error();
  home.programs = *std::move(programs);
  const auto report = attach_hooks(directory(), cgroup, home.programs);
  if (!report) return report.error();
  return {};
}

Result<void> Datapath::Impl::attach() {
  home.numbers.go_on(home.maps.memory());
  const auto report = attach_hooks(directory(), cgroup, home.programs);
  if (!report) return report.error();
  attached = true;
  return take_over();
}

Result<void> Datapath::attach() {
  return impl_->attach();
}

Result<ReconcileReport> Datapath::reconcile(Look look) {
  ReconcileReport report;
  WEIR_TRY(impl_->mend_pins(&report));
  // By now the packet programs run on the new maps too.
  if (impl_->attached) std::exchange(impl_->home.numbers, {}).go_on(impl_->home.maps.memory());
  if (impl_->applied_once) WEIR_TRY(impl_->mend_maps(&report, look));
  return report;
}

DriftCheck Datapath::drift_check() const {
  return {.maps_dir = impl_->directory() + "/maps",
          .sizes = impl_->options.sizes,
          .node_phase = make_meta(impl_->options.node).phase,
          .services = impl_->applied,
          .ports = impl_->proxy->ports(),
          .generation = impl_->generation};
}

uint64_t Datapath::generation() const {
  return impl_->generation;
}

Result<void> Datapath::set_sources(std::span<const SourceEntry> sources) {
  return write_sources(impl_->home.maps, sources, impl_->options.sizes.sources);
}

const std::string& Datapath::why_no_proxy() const {
  return impl_->why_no_proxy;
}

Result<std::vector<ProxyPort>> Datapath::reserve_proxy_ports(const routing::Plan& plan) {
  WEIR_TRY(impl_->proxy->reserve(impl_->home.maps, plan, unix_ns()));
  return impl_->proxy->ports().list();
}

Result<void> Datapath::set_proxy(const ProxyPlace& place) {
  if (place.enabled && !impl_->why_no_proxy.empty()) return Error{impl_->why_no_proxy, ENOTSUP};
  return impl_->proxy->set_place(impl_->home.maps, place);
}

Result<void> Datapath::set_gateway(std::span<const GatewayPort> ports,
                                   const std::optional<std::vector<IpAddress>>& places) {
  if (!ports.empty() && !impl_->why_no_proxy.empty()) return Error{impl_->why_no_proxy, ENOTSUP};
  return impl_->proxy->set_gateway(impl_->home.maps, ports, places);
}

Result<void> Datapath::set_proxy_listeners(std::span<const int> fds) {
  return impl_->proxy->set_listeners(impl_->home.maps, fds);
}

Result<FileDescriptor> Datapath::proxy_beat() const {
  return duplicate(impl_->home.maps.fd(MapId::kProxyBeat), "proxy_beat");
}

Status Datapath::status() const {
  Status status{.bpffs_dir = impl_->directory(),
                .cgroup = impl_->cgroup_path,
                .adopted = impl_->home.adopted,
                .hooks = {},
                .warnings = {}};
  status.hooks = hook_status(impl_->directory(), impl_->cgroup);
  status.warnings = cgroup_warnings();
  return status;
}

bool Status::healthy() const {
  return std::all_of(hooks.begin(), hooks.end(),
                     [](const HookStatus& hook) { return hook.attached || !hook.required; });
}

Result<MapsView> Datapath::read() const {
  return view_maps(impl_->home.maps);
}

bool Datapath::adopted() const {
  return impl_->home.adopted;
}

}  // namespace weir::datapath
