#pragma once
// What every command gets, and how every command ends.

#include <istream>
#include <ostream>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::cli {

/// Exit codes (design section 7). `diff` and `status` have 1 for "differs" and "degraded".
enum Exit : int {
  kOk = 0,
  kError = 1,
  kUsage = 64,
  kUnreadable = 65,
  kUnreachable = 69,
  kNoPermission = 77,
  kFindings = 79,
  kTimedOut = 124,
};

enum class Format { kTable, kWide, kName, kJson, kYaml };

/// Options that every command knows.
struct GlobalOptions {
  Format format = Format::kTable;
  std::string namespace_;  // empty: all, or "default" where one is needed
  bool watch = false;
  bool no_headers = false;
  std::string color = "auto";
  std::string run_dir, socket, bpffs;
};

struct Context {
  std::istream& in;
  std::ostream& out;  // data
  std::ostream& err;  // words
  bool out_is_terminal = false;
  GlobalOptions options;

  [[nodiscard]] bool machine_readable() const {
    return options.format == Format::kJson || options.format == Format::kYaml;
  }
  /// The socket to ask the agent at: --socket, else RUN_DIR/weir.sock.
  [[nodiscard]] std::string socket_path() const;
};

/// Says what went wrong: "weir: message" and a hint on err, with -o json an object on out. Returns `code`.
int fail(Context& context, Exit code, std::string_view message, std::string_view hint = {});
/// The same for an error of a lower layer: kNoPermission for EPERM and EACCES, else kError.
int fail(Context& context, const Error& error);

}  // namespace weir::cli
