#pragma once
// A command line of `--name value` and `--flag`, for the test tools only (the product's own is the cli folder).

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::tools {

class Arguments {
 public:
  /// `valued` take a value and may repeat, `flags` take none. Anything else that starts with "--" is an error; the rest
  /// is positional.
  static Result<Arguments> parse(int argc, char** argv, const std::set<std::string, std::less<>>& valued,
                                 const std::set<std::string, std::less<>>& flags);

  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& all(std::string_view name) const;
  [[nodiscard]] std::string get(std::string_view name, std::string_view otherwise = "") const;
  /// An unsigned number in 0..2^63-1; an error for anything else.
  [[nodiscard]] Result<uint64_t> number(std::string_view name, uint64_t otherwise) const;
  [[nodiscard]] const std::vector<std::string>& positional() const { return positional_; }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> positional_;
};

}  // namespace weir::tools
