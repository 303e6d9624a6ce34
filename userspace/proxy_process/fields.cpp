#include "proxy_process/fields.h"

namespace weir::proxy_process {
namespace {

const nlohmann::json& empty_object() {
  static const nlohmann::json kEmpty = nlohmann::json::object();
  return kEmpty;
}

const nlohmann::json& empty_array() {
  static const nlohmann::json kEmpty = nlohmann::json::array();
  return kEmpty;
}

}  // namespace

Fields::Fields(const nlohmann::json& json) : json_(&json) {
  if (json.is_object()) return;
  json_ = &empty_object();
  fault_ = "not an object";
}

bool Fields::has(const char* key) const {
  return json_->contains(key);
}

void Fields::fault(const char* key, const std::string& what) {
  if (!fault_) fault_ = "\"" + std::string(key) + "\" " + what;
}

const nlohmann::json* Fields::find(const char* key, bool required) {
  const auto found = json_->find(key);
  if (found != json_->end()) return &*found;
  if (required) fault(key, "is missing");
  return nullptr;
}

uint64_t Fields::number(const char* key, uint64_t most) {
  return find(key, true) == nullptr ? 0 : number_or(key, 0, most);
}

uint64_t Fields::number_or(const char* key, uint64_t missing, uint64_t most) {
  const auto* value = find(key, false);
  if (value == nullptr) return missing;
  if (!value->is_number_integer() || (!value->is_number_unsigned() && value->get<int64_t>() < 0)) {
    fault(key, "is not a whole number");
    return missing;
  }
  const auto number = value->get<uint64_t>();
  if (number <= most) return number;
  fault(key, "is more than " + std::to_string(most));
  return missing;
}

std::string Fields::text(const char* key, size_t most_bytes) {
  return find(key, true) == nullptr ? "" : text_or(key, "", most_bytes);
}

std::string Fields::text_or(const char* key, std::string missing, size_t most_bytes) {
  const auto* value = find(key, false);
  if (value == nullptr) return missing;
  if (!value->is_string()) {
    fault(key, "is not a text");
    return missing;
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() <= most_bytes) return text;
  fault(key, "is longer than " + std::to_string(most_bytes) + " bytes");
  return missing;
}

bool Fields::flag(const char* key) {
  return find(key, true) != nullptr && flag_or(key, false);
}

bool Fields::flag_or(const char* key, bool missing) {
  const auto* value = find(key, false);
  if (value == nullptr) return missing;
  if (value->is_boolean()) return value->get<bool>();
  fault(key, "is not true or false");
  return missing;
}

IpAddress Fields::address(const char* key) {
  constexpr size_t kLongest = 45;
  const std::string written = text(key, kLongest);
  if (const auto address = IpAddress::parse(written)) return *address;
  fault(key, "is not an address");
  return {};
}

const nlohmann::json& Fields::object(const char* key) {
  const auto* value = find(key, true);
  if (value == nullptr) return empty_object();
  if (value->is_object()) return *value;
  fault(key, "is not an object");
  return empty_object();
}

const nlohmann::json& Fields::array(const char* key, size_t most) {
  const auto* value = find(key, true);
  if (value == nullptr) return empty_array();
  if (value->is_array() && value->size() <= most) return *value;
  fault(key, value->is_array() ? "has too many entries" : "is not a list");
  return empty_array();
}

Result<void> Fields::finish() const {
  if (fault_) return Error{*fault_};
  return {};
}

}  // namespace weir::proxy_process
