#include "arguments.h"

#include <charconv>

namespace weir::tools {

Result<Arguments> Arguments::parse(int argc, char** argv, const std::set<std::string, std::less<>>& valued,
                                   const std::set<std::string, std::less<>>& flags) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) {
      arguments.positional_.emplace_back(word);
      continue;
    }
    const std::string name(word.substr(2));
    if (flags.contains(name)) {
      arguments.values_[name];
    } else if (!valued.contains(name)) {
      return Error{"unknown option --" + name};
    } else if (i + 1 == argc) {
      return Error{"--" + name + " needs a value"};
    } else {
      arguments.values_[name].emplace_back(argv[++i]);
    }
  }
  return arguments;
}

bool Arguments::has(std::string_view name) const {
  return values_.contains(name);
}

const std::vector<std::string>& Arguments::all(std::string_view name) const {
  static const std::vector<std::string> kNone;
  const auto found = values_.find(name);
  return found == values_.end() ? kNone : found->second;
}

std::string Arguments::get(std::string_view name, std::string_view otherwise) const {
  const auto& values = all(name);
  return values.empty() ? std::string(otherwise) : values.back();
}

Result<uint64_t> Arguments::number(std::string_view name, uint64_t otherwise) const {
  const auto& values = all(name);
  if (values.empty()) return otherwise;
  const std::string& text = values.back();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) {
    return Error{"--" + std::string(name) + " " + text + ": not a number"};
  }
  return static_cast<uint64_t>(number);
}

}  // namespace weir::tools
