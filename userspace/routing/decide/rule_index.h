#pragma once
// Which rule of a virtual host takes a request. Rules are filed under what is rarest about them (an exact path, a
// header's value, a path prefix, a method, an authority), so that a request is held against few of them, in their
// order; the regular expressions of paths are tried in one pass. Immutable; any thread; find() allocates only where a
// request has more fields than kMaxLists.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "routing/rule/request_view.h"
#include "routing/view/resolve.h"

namespace re2 {
class RE2;
}

namespace weir::routing {

struct TakenRule {
  size_t rule = 0;                   // index into the rules
  const HttpMatch* match = nullptr;  // the entry that holds; null: the rule has none
  /// Its uri condition, which rewrites and redirects go by; null: none.
  [[nodiscard]] const StringMatcher* uri() const { return match != nullptr ? match->matcher->uri() : nullptr; }
};

/// One after the other: what the index must agree with. `why_not`, if given, is called with a rule's index and why it
/// does not take the request, for each one before the taker.
template <class WhyNot>
std::optional<TakenRule> find_rule(std::span<const AppliedHttpRule> rules, const RequestView& request, WhyNot why_not);

class RuleIndex {
 public:
  RuleIndex();
  /// The rules' HttpMatches must outlive the index.
  explicit RuleIndex(std::span<const AppliedHttpRule> rules);
  RuleIndex(RuleIndex&&) noexcept;
  RuleIndex& operator=(RuleIndex&&) noexcept;
  ~RuleIndex();

  [[nodiscard]] std::optional<TakenRule> find(const RequestView& request) const;

 private:
  /// An entry of a rule's match, in order: index into entries_.
  using List = std::vector<uint32_t>;
  struct Entry {
    uint32_t rule = 0;
    const HttpMatch* match = nullptr;  // null: takes every request
  };
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Lists = std::unordered_map<std::string, List, TextHash, std::equal_to<>>;
  struct ByHeader {
    std::string name;  // lower case
    Lists values;
  };
  struct Regexes;
  class Candidates;
  class Filer;

  void gather(const RequestView& request, Candidates& candidates) const;

  std::vector<Entry> entries_;
  Lists exact_paths_, methods_, authorities_;
  std::vector<ByHeader> headers_;
  Lists prefixes_;                    // textual and by segment alike: of both a path begins with the text
  std::vector<size_t> prefix_sizes_;  // that occur, ascending
  std::unique_ptr<Regexes> regexes_;  // of paths
  List rest_;
};

// ---------------------------------------------------------------- implementation

template <class WhyNot>
std::optional<TakenRule> find_rule(std::span<const AppliedHttpRule> rules, const RequestView& request, WhyNot why_not) {
  for (size_t index = 0; index < rules.size(); ++index) {
    if (rules[index].match.empty()) return TakenRule{index, nullptr};
    std::string reasons;
    for (const HttpMatch* entry : rules[index].match) {
      std::string why = "its match cannot be honoured";
      if (entry->matcher && entry->matcher->matches(request, &why)) return TakenRule{index, entry};
      reasons += (reasons.empty() ? "" : "; or ") + why;
    }
    why_not(index, reasons);
  }
  return std::nullopt;
}

}  // namespace weir::routing
