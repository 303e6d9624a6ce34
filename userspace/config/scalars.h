#pragma once
// How the text of a scalar is read: proto-JSON's and Kubernetes' rules for numbers, durations, times and base64.
// Pure; std::nullopt where the text is not of the kind asked for.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/model.h"

namespace weir::config {

/// Decimal integer, also "50.0" and "5e1" (as protojson); no "0x1f", "0o17", "1_000", "017", "+5", "50.5".
std::optional<int64_t> parse_integer(std::string_view text);
/// Finite decimal number.
std::optional<double> parse_number(std::string_view text);
/// true, false, True, TRUE ... (YAML 1.2 core schema).
std::optional<bool> parse_bool(std::string_view text);
/// "5s", "0.5s", "1h15m30.918273645s", "100ms", "-1s", "0"; units ns us µs ms s m h.
std::optional<Duration> parse_duration(std::string_view text);
/// RFC 3339, "2024-01-01T00:00:00Z", to seconds since the epoch.
std::optional<int64_t> parse_timestamp(std::string_view text);
/// Standard or URL alphabet, padding optional (as protojson).
std::optional<std::string> decode_base64(std::string_view text);

/// "1h30m", "0.5s", "20ms": what parse_duration() reads back.
std::string to_text(Duration duration);

}  // namespace weir::config
