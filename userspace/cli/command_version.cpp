// weir version.

#include <sys/utsname.h>

#include "bpf/abi.h"
#include "cli/command_table.h"
#include "cli/output.h"

namespace weir::cli {
namespace {

int version(Context& context) {
  utsname names{};
  ::uname(&names);
  const Json json = {{"version", WEIR_VERSION},
                     {"abi", static_cast<int>(abi::ABI_VERSION)},
                     {"compiler", __VERSION__},
                     {"kernel", names.release},
                     {"machine", names.machine}};
  if (context.machine_readable())
    print(context, json);
  else
    context.out << "weir " << WEIR_VERSION << " (kernel ABI " << static_cast<int>(abi::ABI_VERSION) << ", running on "
                << names.release << " " << names.machine << ")\n";
  return kOk;
}

}  // namespace

void add_version(CommandTable& table) {
  table.add("version", "which version this is", "", [](Context& context) { return version(context); });
}

}  // namespace weir::cli
