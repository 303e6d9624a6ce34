#include "datapath/libbpf_log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <vector>

namespace weir::datapath {
namespace {
constexpr size_t kMostBytes = 16 * 1024;
thread_local LibbpfLog* listening = nullptr;
}  // namespace

struct LibbpfSink {
  static int print(libbpf_print_level level, const char* format, va_list arguments) {
    if (level == LIBBPF_DEBUG || listening == nullptr || listening->text_.size() >= kMostBytes) return 0;
    std::vector<char> line(kMostBytes - listening->text_.size() + 1);
    const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
    if (length > 0) listening->text_ += line.data();
    return length;
  }
};

LibbpfLog::LibbpfLog() : outer_(listening) {
  static std::once_flag once;
  std::call_once(once, [] { libbpf_set_print(&LibbpfSink::print); });
  listening = this;
}

LibbpfLog::~LibbpfLog() {
  listening = outer_;
}

}  // namespace weir::datapath
