// The agent's start from what its folder held when it was last read.

#include <spdlog/spdlog.h>

#include "agent/agent.h"
#include "agent/node/log.h"
#include "agent/node/run_dir.h"
#include "config/object_cache.h"
#include "proxy_process/build.h"

namespace weir::agent {
namespace {

constexpr size_t kMaxCacheBytes = 1U << 30;

Result<void> write_cache(const std::string& path, const std::vector<ConfigFolder::Cachable>& files) {
  std::vector<config::ObjectCache::Entry> entries;
  entries.reserve(files.size());
  for (const auto& file : files) entries.push_back({file.text, &file.file});
  return replace_file(path, config::ObjectCache::write(proxy_process::build_id(), entries), 0600);
}

void log_failure(const Result<void>& written) {
  if (!written) spdlog::warn("the next start reads all files: {}", printable(written.error().message));
}

}  // namespace

void Agent::load_cache() {
  if (!options_.start_cache) return;
  const std::string path = cache_path(options_.run_dir);
  auto bytes = read_own_file(path, kMaxCacheBytes);
  if (!bytes) return spdlog::warn("all files are read: {}", printable(bytes.error().message));
  if (!*bytes) return;
  auto cache = config::ObjectCache::read(std::move(**bytes), proxy_process::build_id());
  if (!cache) return spdlog::info("all files are read: {} {}", path, printable(cache.error().message));
  spdlog::debug("{} holds the objects of {} files", path, cache->size());
  reconciler_->folder().use_cache(std::move(*cache));
}

void Agent::save_cache(bool at_once) {
  if (!options_.start_cache) return;
  auto files = reconciler_->folder().take_cachable();
  if (!files) return;
  const std::string path = cache_path(options_.run_dir);
  if (at_once) return log_failure(write_cache(path, *files));
  background_->run([path, files = std::make_shared<const std::vector<ConfigFolder::Cachable>>(std::move(*files))] {
    log_failure(write_cache(path, *files));
  });
}

}  // namespace weir::agent
