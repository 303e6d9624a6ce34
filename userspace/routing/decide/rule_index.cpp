#include "routing/decide/rule_index.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <array>
#include <limits>

namespace weir::routing {
namespace {

/// Below this an index is not worth its looks.
constexpr size_t kFewEntries = 8;
/// Lists that one request can be in.
constexpr size_t kMaxLists = 64;
/// For the automata of all path regexes of one virtual host together; beyond it they are tried one by one.
constexpr int64_t kRegexMemory = int64_t{32} << 20;

/// What an entry can be filed under.
enum class By : uint8_t { kRest, kExactPath, kHeader, kPrefix, kRegex, kMethod, kAuthority };
struct Key {
  By by = By::kRest;
  std::string name, value;
};

/// Every way in which the entry could be filed, most telling first where they are equally rare.
std::vector<Key> keys_of(const HttpMatcher& matcher) {
  using Type = StringMatcher::Type;
  std::vector<Key> keys;
  const StringMatcher* uri = matcher.uri();
  const bool cased = uri != nullptr && !uri->ignores_case();
  if (cased && uri->type() == Type::kExact) keys.push_back({By::kExactPath, {}, uri->value()});
  for (const HeaderMatcher& header : matcher.headers())
    if (header.demands_one_value()) keys.push_back({By::kHeader, header.name(), header.value().value()});
  const bool prefix = uri != nullptr && (uri->type() == Type::kPrefix || uri->type() == Type::kPathPrefix);
  if (cased && prefix && !uri->matches_all() && uri->value() != "/") keys.push_back({By::kPrefix, {}, uri->value()});
  if (uri != nullptr && uri->type() == Type::kRegex && !uri->matches_all())
    keys.push_back({By::kRegex, {}, uri->value()});
  const StringMatcher* method = matcher.method();
  if (method != nullptr && method->type() == Type::kExact) keys.push_back({By::kMethod, {}, method->value()});
  const StringMatcher* authority = matcher.authority();
  if (authority != nullptr && authority->type() == Type::kExact)
    keys.push_back({By::kAuthority, {}, authority->value()});
  return keys;
}

}  // namespace

/// All path regexes in one automaton.
struct RuleIndex::Regexes {
  std::unique_ptr<re2::RE2::Set> set;
  std::vector<uint32_t> entries;  // by the set's numbers
};

/// The lists of one request, walked as one in ascending order.
class RuleIndex::Candidates {
 public:
  void add(const List& list) {
    if (list.empty()) return;
    if (count_ < lists_.size()) {
      lists_[count_++] = list;
    } else {
      more_.push_back(list);
    }
  }
  /// Kept until the walk ends.
  void add_sorted(List list) {
    matched_ = std::move(list);
    add(matched_);
  }
  std::optional<uint32_t> next() {
    std::span<const uint32_t>* least = nullptr;
    const auto look = [&](std::span<const uint32_t>& list) {
      if (!list.empty() && (least == nullptr || list.front() < least->front())) least = &list;
    };
    for (size_t i = 0; i < count_; ++i) look(lists_[i]);
    for (auto& list : more_) look(list);
    if (least == nullptr) return std::nullopt;
    const uint32_t entry = least->front();
    *least = least->subspan(1);
    return entry;
  }

 private:
  std::array<std::span<const uint32_t>, kMaxLists> lists_;
  size_t count_ = 0;
  std::vector<std::span<const uint32_t>> more_;
  List matched_;
};

/// Files all entries, each under the key that the fewest share.
class RuleIndex::Filer {
 public:
  explicit Filer(RuleIndex& index) : index_(index) {}

  void file_all() {
    std::vector<std::vector<Key>> keys;
    for (const Entry& entry : index_.entries_) {
      keys.push_back(entry.match != nullptr ? keys_of(*entry.match->matcher) : std::vector<Key>{});
      for (const Key& key : keys.back()) ++uses_[name_of(key)];
    }
    for (uint32_t number = 0; number < keys.size(); ++number) file(number, rarest(keys[number]));
    compile_regexes();
    std::ranges::sort(index_.prefix_sizes_);
    const auto same = std::ranges::unique(index_.prefix_sizes_);
    index_.prefix_sizes_.erase(same.begin(), same.end());
  }

 private:
  static std::string name_of(const Key& key) {
    // A regex costs the same whoever shares it, and more than any look-up.
    std::string name(1, static_cast<char>(key.by));
    return key.by == By::kRegex ? name : name.append(key.name).append(1, '\0').append(key.value);
  }

  Key rarest(std::vector<Key>& keys) {
    if (keys.empty()) return {};
    return *std::ranges::min_element(keys, {}, [&](const Key& key) { return uses_[name_of(key)]; });
  }

  void file(uint32_t number, const Key& key) {
    switch (key.by) {
      case By::kExactPath:
        return index_.exact_paths_[key.value].push_back(number);
      case By::kHeader:
        return header(key.name).values[key.value].push_back(number);
      case By::kPrefix:
        index_.prefix_sizes_.push_back(key.value.size());
        return index_.prefixes_[key.value].push_back(number);
      case By::kRegex:
        regexes_.push_back(number);
        return;
      case By::kMethod:
        return index_.methods_[key.value].push_back(number);
      case By::kAuthority:
        return index_.authorities_[key.value].push_back(number);
      case By::kRest:
        break;
    }
    index_.rest_.push_back(number);
  }

  ByHeader& header(const std::string& name) {
    const auto found = std::ranges::find(index_.headers_, name, &ByHeader::name);
    if (found != index_.headers_.end()) return *found;
    return index_.headers_.emplace_back(ByHeader{name, {}});
  }

  /// Of one regex alone the entry's own matcher is as good; a set that does not fit its memory is none.
  void compile_regexes() {
    auto set = std::make_unique<re2::RE2::Set>(options(), re2::RE2::ANCHOR_BOTH);
    bool fits = regexes_.size() > 1;
    for (const uint32_t number : regexes_) {
      std::string problem;
      fits = fits && set->Add(index_.entries_[number].match->matcher->uri()->value(), &problem) >= 0;
    }
    if (fits && set->Compile()) {
      index_.regexes_ = std::make_unique<Regexes>(Regexes{std::move(set), std::move(regexes_)});
      return;
    }
    index_.rest_.insert(index_.rest_.end(), regexes_.begin(), regexes_.end());
    std::ranges::sort(index_.rest_);
  }

  static re2::RE2::Options options() {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_max_mem(kRegexMemory);
    return options;
  }

  RuleIndex& index_;
  std::unordered_map<std::string, uint32_t> uses_;
  List regexes_;
};

RuleIndex::RuleIndex() = default;
RuleIndex::RuleIndex(RuleIndex&&) noexcept = default;
RuleIndex& RuleIndex::operator=(RuleIndex&&) noexcept = default;
RuleIndex::~RuleIndex() = default;

RuleIndex::RuleIndex(std::span<const AppliedHttpRule> rules) {
  for (uint32_t number = 0; number < rules.size(); ++number) {
    if (rules[number].match.empty()) entries_.push_back({number, nullptr});
    for (const HttpMatch* match : rules[number].match)
      if (match->matcher) entries_.push_back({number, match});
  }
  if (entries_.size() <= kFewEntries) {
    for (uint32_t number = 0; number < entries_.size(); ++number) rest_.push_back(number);
    return;
  }
  Filer(*this).file_all();
}

void RuleIndex::gather(const RequestView& request, Candidates& candidates) const {
  const auto look = [&](const Lists& lists, std::string_view key) {
    if (lists.empty()) return;
    if (const auto found = lists.find(key); found != lists.end()) candidates.add(found->second);
  };
  candidates.add(rest_);
  look(exact_paths_, request.path);
  look(methods_, request.method);
  look(authorities_, request.authority);
  for (const size_t size : prefix_sizes_) {
    if (size > request.path.size()) break;
    look(prefixes_, request.path.substr(0, size));
  }
  for (const ByHeader& header : headers_)
    for (const HeaderField& field : request.headers)
      if (equal_ignoring_case(field.name, header.name)) look(header.values, field.value);
  if (!regexes_) return;
  std::vector<int> matched;
  re2::RE2::Set::ErrorInfo error{};
  const re2::StringPiece path(request.path.data(), request.path.size());
  List entries;
  if (regexes_->set->Match(path, &matched, &error)) {
    for (const int number : matched) entries.push_back(regexes_->entries[static_cast<size_t>(number)]);
    std::ranges::sort(entries);
  } else if (error.kind != re2::RE2::Set::kNoError) {
    entries = regexes_->entries;  // out of memory for this path: each is tried by itself
  }
  candidates.add_sorted(std::move(entries));
}

std::optional<TakenRule> RuleIndex::find(const RequestView& request) const {
  Candidates candidates;
  gather(request, candidates);
  while (const auto number = candidates.next()) {
    const Entry& entry = entries_[*number];
    if (entry.match == nullptr || entry.match->matcher->matches(request)) return TakenRule{entry.rule, entry.match};
  }
  return std::nullopt;
}

}  // namespace weir::routing
