#pragma once
// Accepted objects as bytes: what the agent gives to the proxy, and keeps to start from. Every field of the model with
// its place is in it, so that what is read back cannot be told from what was read from the text. The bytes say of which
// layout they are and are checked as a whole: those of another build, cut short or changed are refused with a reason.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/store.h"

namespace weir::config {

/// A name of the layout: another where a member of the model was added, taken away, renamed or moved.
[[nodiscard]] uint64_t binary_layout();

/// `payload` behind a head that names its form, layout, length and checksum. `magic`: four characters.
[[nodiscard]] std::string seal(std::string_view magic, std::string_view payload);
/// The payload, a view of `bytes`.
Result<std::string_view> unseal(std::string_view magic, std::string_view bytes);

/// The file's name, objects, mesh settings and diagnostics; `rejected` is no part of it.
[[nodiscard]] std::string to_binary(const ParsedFile& file);
Result<ParsedFile> from_binary(std::string_view bytes);

}  // namespace weir::config
