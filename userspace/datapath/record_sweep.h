#pragma once
// Records and proofs whose sockets are gone without a word: the kernel's own sockets, subflows of MPTCP on kernels that
// do not say which they are, and whatever was closed while no hook looked. Works on the pinned maps, on any thread.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "bpf/abi.h"
#include "datapath/map_set.h"

namespace weir::datapath {

struct SweepReport {
  size_t records = 0, proofs = 0;  // that there were
  size_t records_removed = 0, proofs_removed = 0;
};

/// One sweep is begin() and then finish() with the cookies of all sockets that live, found out in between. What two
/// sweeps in a row find unchanged and without a socket goes: a socket that is just connecting may not be found, and has
/// changed its record by the next. Of a socket that lives although it was not found, only getpeername() and the number
/// of open connections suffer.
class RecordSweep {
 public:
  /// False: there is nothing to sweep, and nobody need look for sockets.
  Result<bool> begin(const std::string& maps_dir);
  Result<SweepReport> finish(const std::unordered_set<uint64_t>& live);

 private:
  using Proofs = std::vector<std::pair<abi::redirect_key, abi::redirect>>;
  void close_record(uint64_t cookie, const abi::socket_record& record, SweepReport* report);
  void remove_proof(const abi::redirect_key& key, uint64_t cookie, SweepReport* report);

  std::optional<MapSet> maps_;
  Proofs proofs_;
  std::map<uint64_t, abi::socket_record> records_;
  // Of the sweep before, without a socket.
  std::map<uint64_t, abi::socket_record> suspects_;
  std::unordered_set<uint64_t> suspected_proofs_;  // cookies
};

}  // namespace weir::datapath
