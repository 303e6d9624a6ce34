#pragma once
// Fields of a JSON object that somebody else wrote: each is checked for its kind and its bounds, the first fault is
// kept, and nothing throws.

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/ip_address.h"
#include "base/result.h"

namespace weir::proxy_process {

class Fields {
 public:
  /// Borrows `json`; anything but an object is a fault.
  explicit Fields(const nlohmann::json& json);

  // Missing or wrong: a fault, and a value that does no harm. The *_or variants take `missing` for what is not there
  // (an older peer does not know it), and fault only what is there and wrong.
  uint64_t number(const char* key, uint64_t most = std::numeric_limits<uint64_t>::max());
  uint64_t number_or(const char* key, uint64_t missing, uint64_t most = std::numeric_limits<uint64_t>::max());
  std::string text(const char* key, size_t most_bytes);
  std::string text_or(const char* key, std::string missing, size_t most_bytes);
  bool flag(const char* key);
  bool flag_or(const char* key, bool missing);
  IpAddress address(const char* key);
  const nlohmann::json& object(const char* key);
  const nlohmann::json& array(const char* key, size_t most);
  [[nodiscard]] bool has(const char* key) const;

  /// For what the caller finds wrong itself.
  void fault(const char* key, const std::string& what);
  [[nodiscard]] Result<void> finish() const;

 private:
  const nlohmann::json* find(const char* key, bool required);

  const nlohmann::json* json_;
  std::optional<std::string> fault_;
};

}  // namespace weir::proxy_process
