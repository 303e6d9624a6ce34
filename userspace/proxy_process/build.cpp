#include "proxy_process/build.h"

#include <elf.h>
#include <link.h>

#include <cstring>
#include <string_view>

namespace weir::proxy_process {
namespace {

size_t padded(size_t size) {
  return (size + 3) & ~size_t{3};
}

/// The id in one note segment; empty: none there.
std::string id_in_notes(std::string_view notes) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) head;
    std::memcpy(&head, notes.data(), sizeof head);
    const size_t name_at = sizeof head, text_at = name_at + padded(head.n_namesz);
    const size_t end = text_at + padded(head.n_descsz);
    if (end > notes.size()) break;
    if (head.n_type == NT_GNU_BUILD_ID && notes.substr(name_at, 4) == std::string_view("GNU\0", 4)) {
      static constexpr std::string_view kDigits = "0123456789abcdef";
      std::string id;
      for (const char c : notes.substr(text_at, head.n_descsz)) {
        id += kDigits[static_cast<uint8_t>(c) >> 4];
        id += kDigits[static_cast<uint8_t>(c) & 15];
      }
      return id;
    }
    notes.remove_prefix(end);
  }
  return {};
}

/// Called for the program itself first; then it ends the walk.
int visit(dl_phdr_info* info, size_t /*size*/, void* out) {
  for (size_t i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const auto* begin = reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
    auto id = id_in_notes({begin, segment.p_memsz});
    if (!id.empty()) *static_cast<std::string*>(out) = std::move(id);
  }
  return 1;
}

}  // namespace

std::string build_id() {
  std::string id;
  ::dl_iterate_phdr(&visit, &id);
  return id.empty() ? WEIR_VERSION : id;
}

}  // namespace weir::proxy_process
