#include "datapath/map_writer.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <unordered_map>
#include <vector>

#include "datapath/steps.h"

namespace weir::datapath {

Result<void> write_changes(const MapSet& maps, const Changes& changes, uint64_t unix_ns) {
  const MapMemory memory = maps.memory();
  before_step("write counters");
  for (const auto& [id, value] : changes.counters) {
    memory.counters[id] = value;
    memory.counters[id].since = unix_ns;
  }
  before_step("write endpoints");
  size_t next = 0;
  for (const Range& range : changes.fresh) {
    std::copy_n(changes.endpoints.begin() + static_cast<ptrdiff_t>(next), range.count,
                memory.endpoints.begin() + range.first);
    next += range.count;
  }
  before_step("write splits");
  WEIR_TRY(maps.splits().update(changes.split_ids, changes.splits));
  before_step("write frontends");
  WEIR_TRY(maps.frontends().update(changes.frontend_keys, changes.frontends));
  before_step("delete frontends");
  WEIR_TRY(maps.frontends().remove(changes.gone_frontends));
  before_step("delete splits");
  return maps.splits().remove(changes.gone_splits);
}

void wait_for_programs() {
  // A global barrier is an RCU grace period, and cgroup programs run inside RCU. Refused where CPUs run without ticks.
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0) return;
  std::this_thread::sleep_for(std::chrono::nanoseconds(RangeAllocator::kRestNs));
}

Result<void> write_sources(const MapSet& maps, std::span<const SourceEntry> sources, uint32_t capacity) {
  const auto map = maps.sources();
  auto present = map.read_all();
  if (!present) return std::move(present).error();
  std::unordered_map<uint64_t, uint32_t> gone(present->begin(), present->end());
  std::unordered_map<uint64_t, uint32_t> wanted;
  for (const SourceEntry& source : sources) wanted[source.netns_cookie] = source.source;
  if (wanted.size() > capacity)
    return Error{"sources: the map is full: " + std::to_string(wanted.size()) + " entries needed, it has " +
                     std::to_string(capacity),
                 ENOSPC};
  std::vector<uint64_t> keys, gone_keys;
  std::vector<uint32_t> values;
  for (const auto& [cookie, source] : wanted) {
    const auto old = gone.find(cookie);
    if (old == gone.end() || old->second != source) {
      keys.push_back(cookie);
      values.push_back(source);
    }
    if (old != gone.end()) gone.erase(old);
  }
  for (const auto& [cookie, source] : gone) gone_keys.push_back(cookie);
  WEIR_TRY(map.remove(gone_keys));
  return map.update(keys, values);
}

}  // namespace weir::datapath
