#include "routing/rule/header_operations.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

namespace weir::routing {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), ascii_lower);
  return result;
}

bool is_authority(std::string_view name) {
  return equal_ignoring_case(name, ":authority") || equal_ignoring_case(name, "host");
}

/// The Host that the operations ask for; `set` wins over `add`, the last entry over those before.
std::string authority_of(const config::HeaderOperations& operations) {
  std::string result;
  for (const auto* list : {&operations.add, &operations.set}) {
    for (const auto& [name, value] : *list) {
      if (is_authority(name)) result = value;
    }
  }
  return result;
}

void remove_header(HeaderList& headers, std::string_view name) {
  std::erase_if(headers, [&](const auto& field) { return equal_ignoring_case(field.first, name); });
}

/// Takes the place of the first field of that name, as the receiver would see it; the others go.
void set_header(HeaderList& headers, const std::string& name, std::string value) {
  const auto named = [&](const auto& field) { return equal_ignoring_case(field.first, name); };
  const auto first = std::ranges::find_if(headers, named);
  if (first == headers.end()) {
    headers.emplace_back(name, std::move(value));
    return;
  }
  first->second = std::move(value);
  headers.erase(std::remove_if(first + 1, headers.end(), named), headers.end());
}

std::optional<std::string_view> look_up(const FormatContext& context, std::string_view name) {
  if (name == ":method") return context.request.method;
  if (name == ":path") return context.request.target;
  if (name == ":scheme") return context.request.scheme;
  if (name == ":authority" || name == "host") return context.request.authority;
  for (const auto& [field, value] : context.headers) {
    if (equal_ignoring_case(field, name)) return value;
  }
  return std::nullopt;
}

}  // namespace

// ---------------------------------------------------------------- HeaderFormat

Result<HeaderFormat::Piece> HeaderFormat::parse_command(std::string_view command) {
  Piece piece;
  if (command == "PROTOCOL") {
    piece.kind = Piece::Kind::kProtocol;
    return piece;
  }
  if (command == "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT") {
    piece.kind = Piece::Kind::kClientAddress;
    return piece;
  }
  const size_t close = command.find(')');
  const Error unknown{"format string %" + std::string(command) +
                      "% is not supported; %REQ(NAME)%, %PROTOCOL% and %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% are"};
  if (!command.starts_with("REQ(") || close == std::string_view::npos) return unknown;
  const std::string_view names = command.substr(4, close - 4);
  const std::string_view length = command.substr(close + 1);
  const size_t mark = names.find('?');
  piece.kind = Piece::Kind::kRequestHeader;
  piece.text = lower(names.substr(0, mark));
  if (mark != std::string_view::npos) piece.alternative = lower(names.substr(mark + 1));
  if (piece.text.empty()) return Error{"format string %" + std::string(command) + "% names no header"};
  if (length.empty()) return piece;
  const char* end = length.data() + length.size();
  if (length[0] != ':' || length.size() < 2) return unknown;
  const auto [stop, error] = std::from_chars(length.data() + 1, end, piece.max_size);
  if (error != std::errc{} || stop != end) return unknown;
  return piece;
}

Result<HeaderFormat> HeaderFormat::parse(std::string_view text) {
  HeaderFormat result;
  std::string plain;
  while (!text.empty()) {
    const size_t percent = text.find('%');
    plain += text.substr(0, percent);
    if (percent == std::string_view::npos) break;
    text.remove_prefix(percent + 1);
    const size_t end = text.find('%');
    if (end == std::string_view::npos) return Error{"a lone '%'; write \"%%\" for a percent sign"};
    if (end == 0) {
      plain += '%';
    } else {
      auto piece = parse_command(text.substr(0, end));
      if (!piece) return std::move(piece).error();
      if (!plain.empty()) result.pieces_.push_back({Piece::Kind::kText, std::move(plain), {}});
      plain.clear();
      result.pieces_.push_back(std::move(piece).value());
    }
    text.remove_prefix(end + 1);
  }
  if (!plain.empty()) result.pieces_.push_back({Piece::Kind::kText, std::move(plain), {}});
  return result;
}

std::string HeaderFormat::format(const FormatContext& context) const {
  std::string result;
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case Piece::Kind::kText:
        result += piece.text;
        break;
      case Piece::Kind::kProtocol:
        result += "HTTP/1.1";
        break;
      case Piece::Kind::kClientAddress:
        result += context.client_address;
        break;
      case Piece::Kind::kRequestHeader: {
        auto value = look_up(context, piece.text);
        if (!value && !piece.alternative.empty()) value = look_up(context, piece.alternative);
        result += value.value_or("").substr(0, piece.max_size);
        break;
      }
    }
  }
  return result;
}

// ---------------------------------------------------------------- HeaderPlan

Result<void> HeaderPlan::extend(Stage& stage, const config::HeaderOperations& operations) {
  for (const std::string& name : operations.remove) stage.remove.push_back(lower(name));
  for (auto [list, target] : {std::pair(&operations.set, &stage.set), std::pair(&operations.add, &stage.add)}) {
    for (const auto& [name, value] : *list) {
      if (is_authority(name)) continue;
      auto format = HeaderFormat::parse(value);
      if (!format) return std::move(format).error().context("header " + name);
      target->push_back({lower(name), std::move(format).value()});
    }
  }
  return {};
}

Result<HeaderPlan> HeaderPlan::compile(const config::HeaderOperations& route,
                                       const config::HeaderOperations& destination, bool only_destination) {
  HeaderPlan result;
  result.authority_ = authority_of(route);
  if (result.authority_.empty()) result.authority_ = authority_of(destination);
  std::vector<Stage> stages(only_destination ? 1 : 2);
  WEIR_TRY(extend(only_destination ? stages.front() : stages.back(), route));
  WEIR_TRY(extend(stages.front(), destination));
  const auto is_constant = [](const Value& value) { return value.format.constant(); };
  for (Stage& stage : stages) {
    result.constant_ = result.constant_ && std::all_of(stage.set.begin(), stage.set.end(), is_constant) &&
                       std::all_of(stage.add.begin(), stage.add.end(), is_constant);
    if (!stage.remove.empty() || !stage.set.empty() || !stage.add.empty()) result.stages_.push_back(std::move(stage));
  }
  return result;
}

std::vector<std::string> HeaderPlan::format_all(const std::vector<Value>& values, const FormatContext& context) {
  std::vector<std::string> result;
  result.reserve(values.size());
  for (const Value& value : values) result.push_back(value.format.format(context));
  return result;
}

void HeaderPlan::apply(HeaderList& headers, const FormatContext& context) const {
  for (const Stage& stage : stages_) {
    for (const std::string& name : stage.remove) remove_header(headers, name);
    std::vector<std::string> sets = format_all(stage.set, context), adds = format_all(stage.add, context);
    for (size_t i = 0; i < sets.size(); ++i) {
      if (!sets[i].empty()) set_header(headers, stage.set[i].name, std::move(sets[i]));
    }
    for (size_t i = 0; i < adds.size(); ++i) {
      if (!adds[i].empty()) headers.emplace_back(stage.add[i].name, std::move(adds[i]));
    }
  }
}

HeaderEffect HeaderPlan::effect(const FormatContext& context, bool on_request) const {
  HeaderEffect effect;
  std::set<std::string> removed;
  HeaderList current = context.headers;
  const FormatContext now{context.request, current, context.client_address};
  for (const Stage& stage : stages_) {
    for (const std::string& name : stage.remove) {
      effect.set.erase(name);
      effect.add.erase(name);
      removed.insert(name);
      if (on_request) remove_header(current, name);
    }
    std::vector<std::string> sets = format_all(stage.set, now), adds = format_all(stage.add, now);
    for (size_t i = 0; i < sets.size(); ++i) {
      const std::string& name = stage.set[i].name;
      if (sets[i].empty()) continue;
      effect.add.erase(name);
      removed.erase(name);
      if (on_request) set_header(current, name, sets[i]);
      effect.set[name] = std::move(sets[i]);
    }
    for (size_t i = 0; i < adds.size(); ++i) {
      const std::string& name = stage.add[i].name;
      if (adds[i].empty()) continue;
      if (on_request) current.emplace_back(name, adds[i]);
      std::string& added = effect.add[name];
      added += (added.empty() ? "" : ",") + adds[i];
    }
  }
  effect.remove.assign(removed.begin(), removed.end());
  return effect;
}

}  // namespace weir::routing
