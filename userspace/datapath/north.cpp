#include "datapath/north.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "bpf/packet/abi.h"
#include "bpf/packet/sieve.h"
#include "datapath/bpf_map.h"
#include "datapath/bpffs.h"
#include "datapath/north_hooks.h"
#include "datapath/north_object.h"
#include "datapath/sieve.h"

namespace weir::datapath {
namespace {

constexpr const char* kFolder = "/north";

std::string read_text(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

uint64_t ns(std::chrono::seconds seconds) {
  return static_cast<uint64_t>(std::chrono::nanoseconds(seconds).count());
}

Result<abi::north_config> make_config(const NorthSettings& settings) {
  abi::north_config config{};
  for (const auto* address : {&settings.node_v4, &settings.node_v6}) {
    if (!*address) continue;
    const bool v4 = address == &settings.node_v4;
    if ((*address)->is_v4() != v4 || (*address)->is_unspecified() || (*address)->is_loopback() ||
        (*address)->is_multicast() || (*address)->is_link_local())
      return Error{"node address " + (*address)->to_string() + ": endpoints on other nodes could not answer it",
                   EINVAL};
    std::memcpy(v4 ? config.node_v4 : config.node_v6, (*address)->bytes().data(), 16);
  }
  for (const auto duration :
       {settings.syn, settings.established, settings.closing, settings.reset, settings.datagram, settings.answered})
    if (duration.count() <= 0) return Error{"a connection cannot be remembered for 0 s", EINVAL};
  config.first_port = settings.first_port;
  config.port_count = settings.port_count;
  config.flow_rate = settings.flow_rate;
  config.syn_ns = ns(settings.syn);
  config.established_ns = ns(settings.established);
  config.closing_ns = ns(settings.closing);
  config.reset_ns = ns(settings.reset);
  config.datagram_ns = ns(settings.datagram);
  config.answered_ns = ns(settings.answered);
  return config;
}

struct Shape {
  uint32_t type, key, value;
};

Shape shape_of(NorthMap map) {
  switch (map) {
    case NorthMap::kFlows:
    case NorthMap::kEmbryos:
      return {BPF_MAP_TYPE_LRU_HASH, sizeof(abi::flow_key), sizeof(abi::flow)};
    case NorthMap::kReverse:
    case NorthMap::kEmbryoReverse:
      return {BPF_MAP_TYPE_LRU_HASH, sizeof(abi::flow_key), sizeof(abi::flow_key)};
    case NorthMap::kConfig:
      return {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(abi::north_config)};
    case NorthMap::kState:
      return {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(abi::north_state)};
    case NorthMap::kDevices:
      return {BPF_MAP_TYPE_HASH, sizeof(uint32_t), sizeof(uint32_t)};
    case NorthMap::kCounts:
      return {BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(uint32_t), sizeof(abi::packet_counts)};
    case NorthMap::kSieve:
      return {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(abi::sieve)};
  }
  return {};
}

/// 0: there are none.
uint32_t abi_of_pinned(const std::string& folder) {
  const FileDescriptor fd(bpf_obj_get((folder + "/" + north_map_name(NorthMap::kState)).c_str()));
  const auto info = fd ? map_info(fd.get()) : Result<MapInfo>(Error{"none"});
  const uint32_t zero = 0;
  abi::north_state state{};
  if (!info || info->value_size != sizeof(state) || bpf_map_lookup_elem(fd.get(), &zero, &state) != 0) return 0;
  return state.abi;
}

/// The pinned tables, of our ABI and shape; others are made anew.
NorthMaps open_maps(const std::string& folder) {
  NorthMaps maps;
  if (abi_of_pinned(folder) != abi::PACKET_ABI_VERSION) return maps;
  for (size_t i = 0; i < kNorthMapCount; ++i) {
    const auto id = static_cast<NorthMap>(i);
    FileDescriptor fd(bpf_obj_get((folder + "/" + north_map_name(id)).c_str()));
    const auto info = fd ? map_info(fd.get()) : Result<MapInfo>(Error{"none"});
    const Shape shape = shape_of(id);
    if (info && info->type == shape.type && info->key_size == shape.key && info->value_size == shape.value)
      maps[i] = std::move(fd);
  }
  // Half a table is worse than none: a reverse half would make flows anew that the other never had, and without the
  // sieve's marks no flow is found.
  const auto tables = {NorthMap::kFlows, NorthMap::kReverse, NorthMap::kSieve};
  const auto has = [&](NorthMap id) { return maps[static_cast<size_t>(id)].valid(); };
  if (!std::all_of(tables.begin(), tables.end(), has))
    for (const NorthMap id : tables) maps[static_cast<size_t>(id)].reset();
  return maps;
}

Result<std::vector<VerdictCount>> read_counts(int fd) {
  const uint32_t zero = 0;
  std::vector<VerdictCount> counts;
  std::vector<abi::packet_counts> per_cpu(static_cast<size_t>(std::max(1, libbpf_num_possible_cpus())));
  const int error = bpf_map_lookup_elem(fd, &zero, per_cpu.data());
  if (error < 0) return errno_error("read map packet_counts", error);
#define WEIR_ADD_COUNT(name, help)    \
  counts.push_back({#name, help, 0}); \
  for (const abi::packet_counts& one : per_cpu) counts.back().count += one.name;
  WEIR_PACKET_COUNTS(WEIR_ADD_COUNT)
#undef WEIR_ADD_COUNT
  return counts;
}

std::string name_of(uint32_t ifindex) {
  char name[IF_NAMESIZE] = {};
  return if_indextoname(ifindex, name) != nullptr ? name : "device " + std::to_string(ifindex);
}

}  // namespace

struct NorthDatapath::Impl {
  NorthOptions options;
  std::string folder;
  NorthObject object;
  Sieve sieve;
  bool tcx = false, adopted = false;
  std::vector<NorthDevice> devices;
  std::vector<std::pair<uint32_t, std::string>> reasons;  // by interface index

  [[nodiscard]] int map_fd(NorthMap map) const { return object.maps[static_cast<size_t>(map)].get(); }
  [[nodiscard]] NorthPrograms programs() const {
    return {.xdp = object.xdp.get(), .tc_in = object.tc_in.get(), .tc_out = object.tc_out.get(), .tcx = tcx};
  }
  Result<void> load();
  Result<void> write_state();
  Result<void> attach_one(const NorthDevice& device, std::vector<std::string>* made);
  Result<std::string> attach_fast(const NorthDevice& device, const DeviceFacts& facts, std::vector<std::string>* made);
  Result<void> tell_programs(uint32_t ifindex, bool takes_frames);
  Result<void> drop_others(const std::vector<uint32_t>& kept);
  Result<std::vector<std::string>> attach_all();
};

Result<void> NorthDatapath::Impl::load() {
  auto shared = MapSet::open(options.bpffs_dir + "/maps", nullptr, true);
  if (!shared) return std::move(shared).error();
  if (!shared->maps)
    return Error{shared->why.empty() ? "no maps in " + options.bpffs_dir : shared->why,
                 shared->state == PinnedMaps::State::kNewer ? EPROTO : ENOENT};
  WEIR_TRY(make_directory(folder));
  if (const uint32_t pinned = abi_of_pinned(folder); pinned > abi::PACKET_ABI_VERSION)
    return Error{"the pinned tables are of packet ABI " + std::to_string(pinned) + ", this weir speaks " +
                     std::to_string(abi::PACKET_ABI_VERSION) +
                     ": refusing to touch them; run the newer weir, or `weir uninstall` first",
                 EPROTO};
  const NorthMaps existing = open_maps(folder);
  adopted = existing[0].valid();
  const KernelFeatures features = kernel_features(probe_features());
  tcx = features.tcx;
  auto loaded = load_north_object(features, options.sizes, *shared->maps, &existing);
  if (!loaded) return std::move(loaded).error();
  object = *std::move(loaded);
  auto opened = Sieve::open(map_fd(NorthMap::kSieve));
  if (!opened) return std::move(opened).error();
  sieve = *std::move(opened);
  if (!existing[static_cast<size_t>(NorthMap::kState)]) WEIR_TRY(write_state());
  for (size_t i = 0; i < kNorthMapCount; ++i) {
    if (existing[i]) continue;
    WEIR_TRY(pin(object.maps[i].get(), folder + "/" + north_map_name(static_cast<NorthMap>(i))));
  }
  return {};
}

Result<void> NorthDatapath::Impl::write_state() {
  const uint32_t zero = 0;
  const abi::north_state state{.flood_until = 0, .abi = abi::PACKET_ABI_VERSION, .pad = 0};
  const int error = bpf_map_update_elem(map_fd(NorthMap::kState), &zero, &state, BPF_ANY);
  if (error < 0) return errno_error("write map north_state", error);
  return {};
}

Result<void> NorthDatapath::Impl::tell_programs(uint32_t ifindex, bool takes_frames) {
  const uint32_t flags = takes_frames ? abi::DEVICE_TAKES_FRAMES : 0;
  const HashMap<uint32_t, uint32_t> map(map_fd(NorthMap::kDevices), "north_devices");
  if (takes_frames) return map.update(std::span(&ifindex, 1), std::span(&flags, 1));
  return map.remove(std::span(&ifindex, 1));
}

/// Why there is no XDP; empty: there is.
Result<std::string> NorthDatapath::Impl::attach_fast(const NorthDevice& device, const DeviceFacts& facts,
                                                     std::vector<std::string>* made) {
  std::string why = device.mode == DeviceMode::kTc ? "as asked for" : "";
  if (device.mode == DeviceMode::kAuto) why = why_no_xdp(facts);
  if (!why.empty()) {
    WEIR_TRY(detach_xdp(folder, facts.ifindex));
    return why;
  }
  const auto attached = attach_xdp(folder, facts, programs(), made);
  if (attached) return std::string();
  if (attached.error().code == EBUSY) return std::string("another XDP program is there");
  return "the driver takes no XDP program here: " + attached.error().message;
}

Result<void> NorthDatapath::Impl::attach_one(const NorthDevice& device, std::vector<std::string>* made) {
  auto facts = device_facts(device.name);
  if (!facts) return std::move(facts).error();
  if (!facts->ethernet)
    return Error{"device " + device.name + (facts->loopback ? " is loopback" : " has no Ethernet header") +
                     ": nothing comes from outside there",
                 ENOTSUP};
  WEIR_TRY(attach_tc(folder, *facts, programs(), made));
  auto why = attach_fast(device, *facts, made);
  if (!why) return std::move(why).error();
  reasons.emplace_back(facts->ifindex, *why);
  // What XDP sends out of a veth vanishes without a trace where the far end has neither XDP nor GRO.
  return tell_programs(facts->ifindex, why->empty() && facts->driver != "veth");
}

Result<void> NorthDatapath::Impl::drop_others(const std::vector<uint32_t>& kept) {
  auto attached = attached_devices(folder);
  if (!attached) return std::move(attached).error();
  for (const uint32_t ifindex : *attached) {
    if (std::count(kept.begin(), kept.end(), ifindex) > 0) continue;
    WEIR_TRY(tell_programs(ifindex, false));
    WEIR_TRY(detach_xdp(folder, ifindex));
    WEIR_TRY(detach_tc(folder, ifindex));
  }
  return {};
}

Result<std::vector<std::string>> NorthDatapath::Impl::attach_all() {
  std::vector<std::string> made;
  std::vector<uint32_t> kept;
  std::optional<Error> first;
  reasons.clear();
  for (const NorthDevice& device : devices) {
    kept.push_back(if_nametoindex(device.name.c_str()));
    if (auto attached = attach_one(device, &made); !attached && !first) first = std::move(attached).error();
  }
  WEIR_TRY(drop_others(kept));
  if (first) return *std::move(first);
  return made;
}

std::vector<NorthFrontend> frontends_from_outside(const routing::Plan& plan) {
  std::vector<NorthFrontend> found;
  for (const auto& service : plan.services)
    for (const auto& frontend : service->frontends)
      if (frontend.source == routing::kOutside)
        found.push_back({.address = frontend.address, .port = frontend.port, .protocol = frontend.protocol});
  return found;
}

NorthDatapath::NorthDatapath(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NorthDatapath::~NorthDatapath() = default;
NorthDatapath::NorthDatapath(NorthDatapath&&) noexcept = default;
NorthDatapath& NorthDatapath::operator=(NorthDatapath&&) noexcept = default;

Result<NorthDatapath> NorthDatapath::open(NorthOptions options) {
  if (options.sizes.flows < 16 || options.sizes.embryos < 16)
    return Error{"a table of connections needs 16 entries at least", EINVAL};
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  impl->folder = impl->options.bpffs_dir + kFolder;
  WEIR_TRY(impl->load());
  return NorthDatapath(std::move(impl));
}

Result<void> NorthDatapath::configure(const NorthSettings& settings) {
  auto config = make_config(settings);
  if (!config) return std::move(config).error();
  WEIR_TRY(check_ports(settings.first_port, settings.port_count, read_text("/proc/sys/net/ipv4/ip_local_port_range"),
                       read_text("/proc/sys/net/ipv4/ip_local_reserved_ports")));
  const uint32_t zero = 0;
  const int error = bpf_map_update_elem(impl_->map_fd(NorthMap::kConfig), &zero, &*config, BPF_ANY);
  if (error < 0) return errno_error("write map north_config", error);
  return {};
}

void NorthDatapath::expect(std::span<const NorthFrontend> frontends) {
  for (const NorthFrontend& frontend : frontends) impl_->sieve.mark(frontend.address, frontend.port, frontend.protocol);
}

Result<void> NorthDatapath::attach(std::span<const NorthDevice> devices) {
  impl_->devices.assign(devices.begin(), devices.end());
  auto made = impl_->attach_all();
  if (!made) return std::move(made).error();
  for (const std::string& one : *made)
    if (impl_->options.log) impl_->options.log("attached " + one);
  return {};
}

Result<std::vector<std::string>> NorthDatapath::mend() {
  return impl_->attach_all();
}

Result<NorthStatus> NorthDatapath::status() const {
  NorthStatus status;
  status.adopted = impl_->adopted;
  auto info = map_info(impl_->map_fd(NorthMap::kFlows));
  if (!info) return std::move(info).error();
  status.flow_capacity = info->max_entries;
  for (const NorthDevice& device : impl_->devices) {
    NorthDeviceStatus& one = status.devices.emplace_back();
    one.name = device.name;
    one.ifindex = if_nametoindex(device.name.c_str());
    if (one.ifindex == 0) {
      one.problem = "no such device";
      continue;
    }
    read_hooks(impl_->folder, &one);
    for (const auto& [ifindex, why] : impl_->reasons)
      if (ifindex == one.ifindex) one.why = why;
  }
  if (read_text("/proc/sys/net/ipv4/ip_forward").starts_with("0"))
    status.warnings.emplace_back("net.ipv4.ip_forward is 0: nothing is carried to endpoints on other nodes");
  auto counts = read_counts(impl_->map_fd(NorthMap::kCounts));
  if (!counts) return std::move(counts).error();
  status.counts = *std::move(counts);
  return status;
}

Result<size_t> NorthDatapath::flows() const {
  std::vector<char> keys, values;
  return read_elements(impl_->map_fd(NorthMap::kFlows), "flows", sizeof(abi::flow_key), sizeof(abi::flow), &keys,
                       &values);
}

bool is_north_installed(const std::string& bpffs_dir) {
  return exists(bpffs_dir + kFolder);
}

Result<std::vector<VerdictCount>> read_packet_counts(const std::string& bpffs_dir) {
  const FileDescriptor fd(bpf_obj_get((bpffs_dir + kFolder + "/" + north_map_name(NorthMap::kCounts)).c_str()));
  const auto info = fd ? map_info(fd.get()) : Result<MapInfo>(Error{"none"});
  // Of another version: its names are not ours.
  if (!info || info->value_size != sizeof(abi::packet_counts)) return std::vector<VerdictCount>();
  return read_counts(fd.get());
}

void read_device(const std::string& bpffs_dir, NorthDeviceStatus* device) {
  if (device->ifindex != 0) read_hooks(bpffs_dir + kFolder, device);
}

Result<size_t> uninstall_north(const std::string& bpffs_dir) {
  const std::string folder = bpffs_dir + kFolder;
  auto devices = attached_devices(folder);
  if (!devices) return std::move(devices).error();
  for (const uint32_t ifindex : *devices) {
    if (auto detached = detach_xdp(folder, ifindex); !detached)
      return std::move(detached).error().context(name_of(ifindex));
    WEIR_TRY(detach_tc(folder, ifindex));
  }
  return remove_directory(folder);
}

}  // namespace weir::datapath
