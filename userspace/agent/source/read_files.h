#pragma once
// Many files of a folder at once: read, and made into objects, on as many threads as are worth it.

#include <string>
#include <vector>

#include "agent/source/folder.h"
#include "base/result.h"
#include "config/object_cache.h"
#include "config/store.h"

namespace weir::agent {

struct ReadFile {
  enum class What { kObjects, kGone, kUnreadable };
  What what = What::kGone;
  std::string name;
  FileStamp stamp;          // kObjects
  config::TextKey text;     // kObjects
  config::ParsedFile file;  // kObjects
  bool cached = false;      // ... which came out of the cache
  Error why;                // kUnreadable
};

/// What `names` are now, in their order. `cache` may be null.
std::vector<ReadFile> read_files(const Folder& folder, const std::vector<std::string>& names,
                                 const config::ObjectCache* cache);

}  // namespace weir::agent
