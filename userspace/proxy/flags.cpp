#include "proxy/flags.h"

namespace weir::proxy {

const char* flag_text(uint32_t number) {
  static constexpr const char* kTexts[] = {
#define WEIR_FLAG_TEXT(name, text, meaning) text,
      WEIR_FLAGS(WEIR_FLAG_TEXT)
#undef WEIR_FLAG_TEXT
  };
  return kTexts[number];
}

std::string to_text(uint32_t flags) {
  std::string text;
  for (uint32_t number = 0; number < kFlagCount; ++number) {
    if ((flags & (1U << number)) == 0) continue;
    if (!text.empty()) text += ',';
    text += flag_text(number);
  }
  return text.empty() ? "-" : text;
}

}  // namespace weir::proxy
