#include "datapath/probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <functional>
#include <span>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "datapath/libbpf_log.h"
#include "datapath/tcx.h"

namespace weir::datapath {
namespace {

constexpr bpf_insn move_imm(__u8 to, __s32 value) {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .src_reg = 0, .off = 0, .imm = value};
}
constexpr bpf_insn move_reg(__u8 to, __u8 from) {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from, .off = 0, .imm = 0};
}
constexpr bpf_insn call(__s32 helper) {
  return {.code = BPF_JMP | BPF_CALL, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = helper};
}
constexpr bpf_insn store_imm(__s16 offset, __s32 value) {
  return {.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = 0, .off = offset, .imm = value};
}
/// *(u64 *)(r10 + offset) += r1, with the old value in r1.
constexpr bpf_insn fetch_add(__s16 offset) {
  return {.code = BPF_STX | BPF_ATOMIC | BPF_DW,
          .dst_reg = BPF_REG_10,
          .src_reg = BPF_REG_1,
          .off = offset,
          .imm = BPF_ADD | BPF_FETCH};
}
constexpr bpf_insn exit_insn() {
  return {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0};
}

/// 0 or the negative errno of loading the program.
int load(bpf_prog_type type, bpf_attach_type attach, std::span<const bpf_insn> program) {
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach);
  const int fd = bpf_prog_load(type, "weir_probe", "GPL", program.data(), program.size(), &options);
  if (fd < 0) return fd;
  const FileDescriptor owned(fd);
  return 0;
}

int load_sock_addr(bpf_attach_type attach, std::span<const bpf_insn> program) {
  return load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attach, program);
}

int probe_connect() {
  const bpf_insn program[] = {move_imm(BPF_REG_0, 1), exit_insn()};
  return load_sock_addr(BPF_CGROUP_INET4_CONNECT, program);
}

int probe_set_retval() {
  const bpf_insn program[] = {move_imm(BPF_REG_1, -EHOSTUNREACH), call(BPF_FUNC_set_retval), move_imm(BPF_REG_0, 0),
                              exit_insn()};
  return load_sock_addr(BPF_CGROUP_INET4_CONNECT, program);
}

int probe_getpeername() {
  const bpf_insn program[] = {move_imm(BPF_REG_0, 1), exit_insn()};
  return load_sock_addr(BPF_CGROUP_INET4_GETPEERNAME, program);
}

int probe_sock_release() {
  const bpf_insn program[] = {call(BPF_FUNC_get_socket_cookie), move_imm(BPF_REG_0, 1), exit_insn()};
  return load(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_RELEASE, program);
}

int probe_fetch_add() {
  const bpf_insn program[] = {store_imm(-8, 0), move_imm(BPF_REG_1, 1), fetch_add(-8), move_imm(BPF_REG_0, 1),
                              exit_insn()};
  return load_sock_addr(BPF_CGROUP_INET4_CONNECT, program);
}

int probe_netns_cookie() {
  const bpf_insn program[] = {call(BPF_FUNC_get_netns_cookie), move_reg(BPF_REG_6, BPF_REG_0), move_imm(BPF_REG_0, 1),
                              exit_insn()};
  return load_sock_addr(BPF_CGROUP_INET4_CONNECT, program);
}

int probe_cgroup_id() {
  const bpf_insn program[] = {call(BPF_FUNC_get_current_cgroup_id), move_imm(BPF_REG_0, 1), exit_insn()};
  return load_sock_addr(BPF_CGROUP_INET4_CONNECT, program);
}

int probe_sock_ops() {
  const bpf_insn program[] = {call(BPF_FUNC_get_socket_cookie), move_imm(BPF_REG_0, 1), exit_insn()};
  return load(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, program);
}

/// As bpf/subflow.h asks.
int probe_mptcp() {
  constexpr __s32 kIsMptcp = 196;  // BPF_FUNC_skc_to_mptcp_sock
  const bpf_insn program[] = {
      {.code = BPF_LDX | BPF_MEM | BPF_DW,
       .dst_reg = BPF_REG_1,
       .src_reg = BPF_REG_1,
       .off = offsetof(bpf_sock_ops, sk),
       .imm = 0},
      {.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_1, .src_reg = 0, .off = 1, .imm = 0},
      call(static_cast<bpf_func_id>(kIsMptcp)),
      move_imm(BPF_REG_0, 1),
      exit_insn()};
  return load(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, program);
}

int probe_sk_lookup() {
  const bpf_insn program[] = {move_imm(BPF_REG_0, 1), exit_insn()};
  return load(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, program);
}

int probe_socket_netns_cookie() {
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  constexpr int kNetnsCookie = 71;  // SO_NETNS_COOKIE, of 5.14
  __u64 cookie = 0;
  socklen_t length = sizeof(cookie);
  return getsockopt(fd.get(), SOL_SOCKET, kNetnsCookie, &cookie, &length) == 0 ? 0 : -errno;
}

int make_map(bpf_map_type type, __u32 flags, FileDescriptor* map) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
  const int fd = bpf_map_create(type, "weir_probe", sizeof(__u32), sizeof(__u64), 4, &options);
  if (fd < 0) return fd;
  map->reset(fd);
  return 0;
}

int probe_mmap() {
  FileDescriptor map;
  return make_map(BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, &map);
}

int probe_batch() {
  FileDescriptor map;
  if (const int error = make_map(BPF_MAP_TYPE_HASH, 0, &map); error < 0) return error;
  const __u32 keys[] = {1, 2};
  const __u64 values[] = {1, 2};
  __u32 count = 2;
  return bpf_map_update_batch(map.get(), keys, values, &count, nullptr);
}

/// A kernel that knows the command looks at the descriptor first.
int probe_cgroup_link() {
  const int fd = bpf_link_create(-1, -1, BPF_CGROUP_INET4_CONNECT, nullptr);
  return fd == -EBADF ? 0 : fd;
}

constexpr const char* kNoProxy = "rules that need the request fall back to their default route";

int probe_coarse_clock() {
  const bpf_insn program[] = {call(BPF_FUNC_ktime_get_coarse_ns), move_imm(BPF_REG_0, 0), exit_insn()};
  return load(BPF_PROG_TYPE_XDP, BPF_XDP, program);
}

/// Runs bpf_l4_csum_replace(skb, 14 + 40 + 16, 0, 0, BPF_F_IPV6): a kernel that does not know the flag says so.
int probe_ipv6_checksum() {
  constexpr __s32 kFlagIpv6 = 1 << 7;  // of 6.16
  const bpf_insn program[] = {move_imm(BPF_REG_2, 70),        move_imm(BPF_REG_3, 0),         move_imm(BPF_REG_4, 0),
                              move_imm(BPF_REG_5, kFlagIpv6), call(BPF_FUNC_l4_csum_replace), exit_insn()};
  const FileDescriptor fd(
      bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "weir_probe", "GPL", program, std::size(program), nullptr));
  if (!fd) return -errno;
  unsigned char frame[128] = {};
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame));
  if (const int error = bpf_prog_test_run_opts(fd.get(), &options); error < 0) return error;
  return static_cast<int>(options.retval);
}

/// A kernel that knows the hook looks at the device first.
int probe_tcx() {
  const bpf_insn program[] = {move_imm(BPF_REG_0, -1), exit_insn()};
  const FileDescriptor fd(
      bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "weir_probe", "GPL", program, std::size(program), nullptr));
  if (!fd) return -errno;
  const int link = bpf_link_create(fd.get(), 0x7fffffff, kTcxIngress, nullptr);
  const FileDescriptor owned(link);
  return link == -ENODEV || link >= 0 ? 0 : link;
}

struct Probe {
  Feature feature;
  int (*run)();
};

std::vector<Probe> probes() {
  const auto must = [](const char* name, const char* since, const char* what) {
    return Feature{
        .name = name, .required = true, .since = since, .what = what, .without = "weir cannot run", .error = {}};
  };
  const auto may = [](const char* name, const char* since, const char* what, const char* without) {
    return Feature{.name = name, .required = false, .since = since, .what = what, .without = without, .error = {}};
  };
  return {
      {must("connect_hook", "4.17", "choose the endpoint at connect()"), probe_connect},
      {must("cgroup_link", "5.7", "stay attached when the agent is gone"), probe_cgroup_link},
      {must("map_mmap", "5.5", "write endpoints without system calls"), probe_mmap},
      {must("map_batch", "5.6", "write thousands of services at once"), probe_batch},
      {must("netns_cookie", "5.7", "tell the pods of a node apart"), probe_netns_cookie},
      {must("cgroup_id", "5.7", "leave the proxy's own connections alone"), probe_cgroup_id},
      {may("getpeername_hook", "5.8", "show clients the service's address",
           "getpeername() shows the endpoint's address"),
       probe_getpeername},
      {may("release_hook", "5.9", "count open connections", "no number of open connections, the sockets map fills up"),
       probe_sock_release},
      {may("fetch_add", "5.12", "exact splits under any load",
           "two connections at the same instant may get the same endpoint"),
       probe_fetch_add},
      {may("sock_ops", "4.13", "vouch for connections that are sent to the proxy", kNoProxy), probe_sock_ops},
      {may("sk_lookup", "5.9", "hand the proxy its connections", kNoProxy), probe_sk_lookup},
      {may("mptcp", "5.19", "tell MPTCP subflows from other sockets",
           "getpeername() of an MPTCP socket shows the endpoint's address, its record goes within two minutes"),
       probe_mptcp},
      {may("coarse_clock", "5.11", "tell the time of packets cheaply", "a packet costs some 20 ns more"),
       probe_coarse_clock},
      {may("tcx", "6.6", "order among the programs of a device", "packets go through a clsact filter"), probe_tcx},
      {may("ipv6_checksum", "6.16", "keep a device's IPv6 checksums", "the kernel may warn of a device's checksums"),
       probe_ipv6_checksum},
      {may("socket_netns_cookie", "5.14", "find the pods' network namespaces", "rules for certain clients do not hold"),
       probe_socket_netns_cookie},
      {may("set_retval", "5.18", "refuse with EHOSTUNREACH", "a refused connect() fails with EPERM"), probe_set_retval},
  };
}

}  // namespace

std::vector<Feature> probe_features() {
  const LibbpfLog quiet;
  std::vector<Feature> features;
  for (Probe& probe : probes()) {
    const int error = probe.run();
    probe.feature.available = error == 0;
    if (error < 0) {
      probe.feature.error = errno_error("probe", error).message;
      probe.feature.code = -error;
    }
    features.push_back(std::move(probe.feature));
  }
  return features;
}

KernelFeatures kernel_features(const std::vector<Feature>& features) {
  KernelFeatures result;
  for (const Feature& feature : features) {
    if (feature.name == "set_retval") result.set_retval = feature.available;
    if (feature.name == "release_hook") result.sock_release = feature.available;
    if (feature.name == "getpeername_hook") result.getpeername = feature.available;
    if (feature.name == "fetch_add") result.fetch_add = feature.available;
    if (feature.name == "sock_ops") result.sock_ops = feature.available;
    if (feature.name == "sk_lookup") result.sk_lookup = feature.available;
    if (feature.name == "mptcp") result.mptcp = feature.available;
    if (feature.name == "coarse_clock") result.coarse_clock = feature.available;
    if (feature.name == "ipv6_checksum") result.ipv6_checksum = feature.available;
    if (feature.name == "tcx") result.tcx = feature.available;
    if (!feature.required || feature.available) continue;
    if (feature.code == EPERM || feature.code == EACCES) result.no_right = true;
    if (!result.missing.empty()) result.missing += "; ";
    result.missing += feature.name + " (since Linux " + feature.since + "): " + feature.error;
  }
  return result;
}

}  // namespace weir::datapath
