#include "agent/source/read_files.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace weir::agent {
namespace {

constexpr size_t kMostThreads = 4;
constexpr size_t kFilesWorthAThread = 64;
constexpr size_t kStep = 16;  // files that a thread takes at once

ReadFile read_file(const Folder& folder, const std::string& name, const config::ObjectCache* cache) {
  ReadFile read;
  read.name = name;
  auto file = folder.read(name);
  if (!file) {
    read.what = ReadFile::What::kUnreadable;
    read.why = std::move(file).error();
    return read;
  }
  if (!*file) return read;
  read.what = ReadFile::What::kObjects;
  read.stamp = (*file)->stamp;
  const std::string& text = (*file)->text;
  read.text = config::key_of(text);
  auto cached = cache == nullptr ? std::nullopt : cache->find(name, read.text);
  read.cached = cached.has_value();
  read.file = cached ? std::move(*cached) : config::read_yaml(text, name);
  return read;
}

}  // namespace

std::vector<ReadFile> read_files(const Folder& folder, const std::vector<std::string>& names,
                                 const config::ObjectCache* cache) {
  std::vector<ReadFile> files(names.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    while (true) {
      const size_t first = next.fetch_add(kStep);
      if (first >= names.size()) return;
      const size_t end = std::min(first + kStep, names.size());
      for (size_t i = first; i < end; ++i) files[i] = read_file(folder, names[i], cache);
    }
  };
  const size_t threads = std::min({kMostThreads, static_cast<size_t>(std::max(1U, std::thread::hardware_concurrency())),
                                   names.size() / kFilesWorthAThread + 1});
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < threads; ++i) helpers.emplace_back(work);
  work();
  for (auto& helper : helpers) helper.join();
  return files;
}

}  // namespace weir::agent
