// Any bytes as the binary form of objects, and any YAML as what is put into it. What is looked for: crashes, memory,
// what does not come back as it was, and two forms of one value.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/binary.h"

namespace {

void check_payload(std::string_view payload) {
  const std::string bytes = weir::config::seal("WeiO", payload);
  const auto file = weir::config::from_binary(bytes);
  if (file && weir::config::to_binary(*file) != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::config;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)from_binary(input);
  check_payload(input);
  const std::string bytes = to_binary(read_yaml(input, "fuzz.yaml"));
  const auto back = from_binary(bytes);
  if (!back || to_binary(*back) != bytes) std::abort();
  // The same with one byte in another's place; which, the input says.
  std::string payload = bytes.substr(32);
  const size_t from = size > 1 ? data[0] * 256U + data[1] : 0;
  payload[from % payload.size()] = static_cast<char>(size > 2 ? data[size / 2] : 0xff);
  check_payload(payload);
  return 0;
}
