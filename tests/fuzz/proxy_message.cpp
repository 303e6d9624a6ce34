// Any bytes as a message of the control channel, and as what may lie beside one. What is looked for: crashes, and a
// message that is taken and does not come back as it was when it is written again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy_process/message.h"
#include "proxy_process/protocol.h"
#include "proxy_process/stats_report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::proxy_process;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto read = read_message(bytes)) {
    const auto again = to_bytes(read->message, read->enclosed);
    if (again) {
      const auto back = read_message(*again);
      if (!back || back->message.type != read->message.type || back->message.id != read->message.id) std::abort();
    }
    (void)hello_from_json(read->message.body);
    (void)settings_from_json(read->message.body);
  }
  if (const auto configuration = configuration_from_blob(bytes)) {
    const auto back = configuration_from_blob(to_blob(*configuration));
    if (!back || back->files.size() != configuration->files.size() || back->ports != configuration->ports) std::abort();
  }
  if (const auto json = read_json(bytes)) {
    (void)report_from_json(*json);
    (void)hello_from_json(*json);
    if (const auto settings = settings_from_json(*json))
      if (!settings_from_json(to_json(*settings))) std::abort();
  }
  return 0;
}
