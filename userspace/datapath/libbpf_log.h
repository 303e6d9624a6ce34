#pragma once
// What libbpf says while an object of this class lives on this thread; otherwise libbpf keeps silent. Used to put the
// verifier's words into an error.

#include <string>

namespace weir::datapath {

class LibbpfLog {
 public:
  LibbpfLog();
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  /// The first 16 KiB of it: a verifier's log starts with the reason when it is short and is useless when it is not.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  friend struct LibbpfSink;
  std::string text_;
  LibbpfLog* outer_;
};

}  // namespace weir::datapath
