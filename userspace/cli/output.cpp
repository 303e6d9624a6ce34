#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace weir::cli {
namespace {

/// Whether the plain text is this string to every reader of YAML 1.1 and 1.2: it begins like a word, holds nothing that
/// ends or changes one, and is none that means something.
bool is_plain(const std::string& text) {
  static constexpr std::string_view kWords[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !(letter(text.front()) || text.front() == '/' || text.front() == '_')) return false;
  if (text.back() == ' ' || text.back() == ':' || !std::ranges::all_of(text, printable)) return false;
  if (text.find(": ") != std::string::npos || text.find(" #") != std::string::npos) return false;
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return std::ranges::find(kWords, lower) == std::end(kWords);
}

/// Signs that a reader of YAML takes for ends of lines, or leaves out, even between quotes.
std::string escaped(std::string quoted) {
  static constexpr std::pair<std::string_view, std::string_view> kSigns[] = {{"\xe2\x80\xa8", "\\u2028"},
                                                                             {"\xe2\x80\xa9", "\\u2029"},
                                                                             {"\xc2\x85", "\\u0085"},
                                                                             {"\xef\xbb\xbf", "\\ufeff"},
                                                                             {"\x7f", "\\u007f"}};
  for (const auto& [sign, by] : kSigns)
    for (size_t at = quoted.find(sign); at != std::string::npos; at = quoted.find(sign, at))
      quoted.replace(at, sign.size(), by);
  return quoted;
}

std::string scalar(const Json& json) {
  if (!json.is_string()) return json.dump();
  const auto& text = json.get_ref<const std::string&>();
  // A JSON string is a YAML double-quoted string.
  return is_plain(text) ? text : escaped(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void write_yaml(const Json& json, size_t indent, std::string& out);

void write_value(const Json& value, size_t indent, std::string& out) {
  if (value.is_structured() && !value.empty()) {
    out += '\n';
    write_yaml(value, indent, out);
  } else {
    out += ' ';
    out += value.is_array() ? "[]" : value.is_object() ? "{}" : scalar(value);
    out += '\n';
  }
}

void write_list(const Json& json, size_t indent, std::string& out) {
  for (const auto& item : json) {
    std::string inner;
    if (item.is_structured() && !item.empty()) {
      write_yaml(item, indent + 2, inner);
      inner.replace(0, indent + 2, std::string(indent, ' ') + "- ");
      out += inner;
    } else {
      out += std::string(indent, ' ') + "-";
      write_value(item, indent + 2, out);
    }
  }
}

void write_yaml(const Json& json, size_t indent, std::string& out) {
  if (json.is_array()) return write_list(json, indent, out);
  for (const auto& [key, value] : json.items()) {
    out += std::string(indent, ' ') + scalar(key) + ":";
    write_value(value, value.is_array() ? indent : indent + 2, out);
  }
}

}  // namespace

size_t width(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void Table::add(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  for (auto& cell : cells)
    if (cell.empty()) cell = "-";
  rows_.push_back(std::move(cells));
}

std::string Table::to_text(bool headers) const {
  std::vector<size_t> widths(columns_.size(), 0);
  const auto measure = [&](size_t i, const std::string& cell) { widths[i] = std::max(widths[i], width(cell)); };
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (headers) measure(i, columns_[i].header);
    for (const auto& row : rows_) measure(i, row[i]);
  }
  std::string text;
  const auto line = [&](auto cell_of) {
    std::string out;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = cell_of(i);
      const std::string pad(widths[i] - width(cell), ' ');
      out += (i > 0 ? "  " : "") + (columns_[i].number ? pad + cell : cell + pad);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    text += out + "\n";
  };
  if (headers) line([&](size_t i) -> const std::string& { return columns_[i].header; });
  for (const auto& row : rows_) line([&](size_t i) -> const std::string& { return row[i]; });
  return text;
}

void print(Context& context, const Table& table) {
  context.out << table.to_text(!context.options.no_headers);
}

void print(Context& context, const Json& json) {
  if (context.options.format == Format::kYaml)
    context.out << to_yaml(json);
  else
    context.out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

std::string to_yaml(const Json& json) {
  std::string out;
  if (json.is_structured() && !json.empty())
    write_yaml(json, 0, out);
  else
    out = (json.is_array() ? "[]" : json.is_object() ? "{}" : scalar(json)) + "\n";
  return out;
}

std::string percent(const Json& share) {
  if (!share.is_number()) return "-";
  std::string text = fmt::format("{:.2f}", share.get<double>() * 100);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + "%";
}

std::string age(double seconds) {
  const auto total = static_cast<int64_t>(std::max(seconds, 0.0));
  const int64_t days = total / 86400, hours = total / 3600 % 24, minutes = total / 60 % 60;
  if (days > 0) return fmt::format("{}d{}h", days, hours);
  if (hours > 0) return fmt::format("{}h{}m", hours, minutes);
  if (minutes > 0) return fmt::format("{}m{}s", minutes, total % 60);
  return fmt::format("{}s", total);
}

bool use_color(const Context& context) {
  if (context.options.color == "always") return true;
  if (context.options.color == "never" || !context.out_is_terminal) return false;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && term != nullptr && std::string_view(term) != "dumb";
}

std::string tinted(const Context& context, Tint tint, std::string_view text) {
  if (!use_color(context)) return std::string(text);
  static constexpr const char* kCodes[] = {"32", "33", "31", "1"};
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<size_t>(tint)], text);
}

}  // namespace weir::cli
