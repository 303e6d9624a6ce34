#include "datapath/record_sweep.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <cstring>

#include "datapath/steps.h"

namespace weir::datapath {
namespace {

bool same(const abi::socket_record& a, const abi::socket_record& b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

}  // namespace

Result<bool> RecordSweep::begin(const std::string& maps_dir) {
  maps_.reset();
  records_.clear();
  auto pinned = MapSet::open(maps_dir, nullptr, true);
  if (!pinned) return std::move(pinned).error();
  if (!pinned->maps) return Error{maps_dir + ": " + (pinned->why.empty() ? "no maps are pinned" : pinned->why), ENOENT};
  // Proofs first: a proof's record is there before it.
  auto proofs = pinned->maps->redirects().read_all();
  if (!proofs) return std::move(proofs).error();
  auto records = pinned->maps->sockets().read_all();
  if (!records) return std::move(records).error();
  proofs_ = *std::move(proofs);
  records_.insert(records->begin(), records->end());
  maps_ = std::move(pinned->maps);
  const bool nothing = proofs_.empty() && records_.empty();
  if (nothing) {
    suspects_.clear();
    suspected_proofs_.clear();
  }
  return !nothing;
}

/// As the programs do: whoever deletes the record counts.
void RecordSweep::close_record(uint64_t cookie, const abi::socket_record& record, SweepReport* report) {
  abi::socket_record now{};
  const int fd = maps_->fd(MapId::kSockets);
  if (bpf_map_lookup_elem(fd, &cookie, &now) != 0 || !same(now, record)) return;
  before_step("sweep a record");
  if (bpf_map_delete_elem(fd, &cookie) != 0) return;
  ++report->records_removed;
  const auto counters = maps_->memory().counters;
  if (record.counter < counters.size()) __atomic_fetch_add(&counters[record.counter].closed, 1, __ATOMIC_RELAXED);
}

void RecordSweep::remove_proof(const abi::redirect_key& key, uint64_t cookie, SweepReport* report) {
  abi::redirect now{};
  const int fd = maps_->fd(MapId::kRedirects);
  if (bpf_map_lookup_elem(fd, &key, &now) != 0 || now.cookie != cookie) return;
  if (bpf_map_delete_elem(fd, &key) == 0) ++report->proofs_removed;
}

Result<SweepReport> RecordSweep::finish(const std::unordered_set<uint64_t>& live) {
  SweepReport report{.records = records_.size(), .proofs = proofs_.size()};
  std::map<uint64_t, abi::socket_record> suspects;
  std::unordered_set<uint64_t> suspected_proofs;
  for (const auto& [key, proof] : proofs_) {
    // 0: of a connection from outside, whose client has no socket here.
    if (proof.cookie == 0 || live.contains(proof.cookie)) continue;
    suspected_proofs.insert(proof.cookie);
    if (suspected_proofs_.contains(proof.cookie)) remove_proof(key, proof.cookie, &report);
  }
  for (const auto& [cookie, record] : records_) {
    if (live.contains(cookie)) continue;
    suspects.emplace(cookie, record);
    const auto before = suspects_.find(cookie);
    if (before != suspects_.end() && same(before->second, record)) close_record(cookie, record, &report);
  }
  suspects_ = std::move(suspects);
  suspected_proofs_ = std::move(suspected_proofs);
  maps_.reset();
  return report;
}

}  // namespace weir::datapath
