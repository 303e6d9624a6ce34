#pragma once
// Tables for people, JSON and YAML for programs.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/context.h"

namespace weir::cli {

using Json = nlohmann::ordered_json;

/// Upper-case headers, two spaces between columns, numbers to the right, "-" for what is not there, nothing wrapped.
class Table {
 public:
  struct Column {
    std::string header;
    bool number = false;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// As many cells as columns; an empty cell shows as "-".
  void add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::string to_text(bool headers) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

void print(Context& context, const Table& table);
/// As -o says: JSON or YAML. Precondition: context.machine_readable().
void print(Context& context, const Json& json);
std::string to_yaml(const Json& json);

/// "92.5%", "-" for null.
std::string percent(const Json& share);
/// "3d4h", "5m10s", "42s".
std::string age(double seconds);
/// Width on a terminal, UTF-8 counted by character.
size_t width(std::string_view text);

/// Colour only on a terminal, unless --color says otherwise; NO_COLOR and TERM=dumb are honoured.
bool use_color(const Context& context);
enum class Tint { kGood, kWarn, kBad, kStrong };
std::string tinted(const Context& context, Tint tint, std::string_view text);

}  // namespace weir::cli
