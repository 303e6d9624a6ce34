#include "routing/decide/rule_index.h"

#include <random>

#include "support.h"

namespace weir::routing {
namespace {

/// Rules of made-up conditions from few words, so that they overlap.
class Rules {
 public:
  explicit Rules(uint32_t seed) : random_(seed) {}

  void make(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      HttpRule& rule = *rules_.emplace_back(std::make_unique<HttpRule>());
      const size_t entries = draw(60) == 0 ? 0 : 1 + draw(3);
      for (size_t entry = 0; entry < entries; ++entry) add_match(rule);
      AppliedHttpRule applied{&rule, {}, rule.match.empty()};
      for (const HttpMatch& match : rule.match) applied.match.push_back(&match);
      applied_.push_back(std::move(applied));
    }
  }
  [[nodiscard]] const std::vector<AppliedHttpRule>& applied() const { return applied_; }
  std::string word() { return std::string(1, static_cast<char>('a' + random_() % 5)); }
  std::string path() {
    std::string text;
    for (size_t size = 1 + random_() % 3; size > 0; --size) text += "/" + word();
    return text;
  }
  uint32_t draw(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

 private:
  config::StringMatch text(const std::string& value) {
    using Type = config::StringMatch::Type;
    switch (draw(5)) {
      case 0:
        return {Type::kPrefix, value, {}};
      case 1:
        return {Type::kRegex, value + ".*", {}};
      case 2:
        return {Type::kPresent, "", {}};
      default:
        return {Type::kExact, value, {}};
    }
  }
  void add_match(HttpRule& rule) {
    HttpMatch& match = rule.match.emplace_back();
    if (draw(20) == 0) return;  // never holds
    config::HttpMatch written;
    if (draw(8) != 0) written.uri = text(path());
    written.ignore_uri_case = draw(6) == 0;
    for (uint32_t count = draw(3); count > 0; --count) written.headers["x-" + word()] = text(word());
    if (draw(5) == 0) written.without_headers["x-" + word()] = text(word());
    if (draw(5) == 0) written.method = text(draw(2) == 0 ? "GET" : "POST");
    if (draw(8) == 0) written.authority = text(word());
    if (draw(8) == 0) written.query_params["q"] = text(word());
    match.matcher = std::make_shared<const HttpMatcher>(*HttpMatcher::compile(written));
  }

  std::mt19937 random_;
  std::vector<std::unique_ptr<HttpRule>> rules_;
  std::vector<AppliedHttpRule> applied_;
};

// The index is only ever a faster way to the answer of trying each rule in turn.
TEST(RuleIndex, FindsWhatTryingEachInTurnFinds) {
  size_t taken_late = 0;
  for (uint32_t seed = 0; seed < 40; ++seed) {
    Rules rules(seed);
    rules.make(1 + 2 * seed);
    const RuleIndex index(rules.applied());
    for (int count = 0; count < 100; ++count) {
      const std::string path = rules.path(), authority = rules.word();
      std::vector<std::string> texts;
      for (int i = 0; i < 6; ++i) texts.push_back(rules.word());
      std::vector<HeaderField> fields;
      const std::string a = "x-" + texts[0], b = "X-" + texts[1];
      fields.push_back({a, texts[2]});
      fields.push_back({b, texts[3]});
      fields.push_back({a, texts[4]});
      RequestView request{rules.draw(2) == 0 ? "GET" : "POST", "http", authority, {}, {}, {}, fields};
      const std::string target = rules.draw(2) == 0 ? path : path + "?q=" + texts[5];
      request.set_target(target);
      const auto slow = find_rule(rules.applied(), request, [](size_t, const std::string&) {});
      const auto fast = index.find(request);
      ASSERT_EQ(slow.has_value(), fast.has_value()) << "seed " << seed << " " << target;
      if (!slow) continue;
      ASSERT_EQ(slow->rule, fast->rule) << "seed " << seed << " " << target;
      ASSERT_EQ(slow->match, fast->match) << "seed " << seed << " " << target;
      taken_late += slow->rule > 8 ? 1 : 0;
    }
  }
  EXPECT_GT(taken_late, 20U) << "the test itself: rules far down must be met, too";
}

TEST(RuleIndex, WithoutRulesNobodyTakesARequest) {
  RequestView request{"GET", "http", "web", {}, {}, {}, {}};
  request.set_target("/");
  EXPECT_FALSE(RuleIndex().find(request));
  EXPECT_FALSE(RuleIndex(std::span<const AppliedHttpRule>{}).find(request));
}

// More lists than the walk has places for: fields are the client's to make up.
TEST(RuleIndex, ARequestOfManyFields) {
  std::vector<std::unique_ptr<HttpRule>> rules;
  std::vector<AppliedHttpRule> applied;
  for (int i = 0; i < 200; ++i) {
    HttpRule& rule = *rules.emplace_back(std::make_unique<HttpRule>());
    config::HttpMatch written;
    written.headers["x-" + std::to_string(i)] = {config::StringMatch::Type::kExact, "v", {}};
    written.headers["y-" + std::to_string(i)] = {config::StringMatch::Type::kExact, i == 150 ? "v" : "w", {}};
    rule.match.emplace_back().matcher = std::make_shared<const HttpMatcher>(*HttpMatcher::compile(written));
    applied.push_back({&rule, {&rule.match[0]}, false});
  }
  const RuleIndex index(applied);
  std::vector<std::string> names;
  for (int i = 0; i < 200; ++i)
    for (const char* letter : {"x-", "y-"}) names.push_back(letter + std::to_string(i));
  std::vector<HeaderField> fields;
  for (const std::string& name : names) fields.push_back({name, "v"});
  RequestView request{"GET", "http", "web", {}, {}, {}, fields};
  request.set_target("/");
  const auto taken = index.find(request);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->rule, 150U);
}

TEST(RuleIndex, AThousandRegexes) {
  std::vector<std::unique_ptr<HttpRule>> rules;
  std::vector<AppliedHttpRule> applied;
  for (int i = 0; i < 1000; ++i) {
    HttpRule& rule = *rules.emplace_back(std::make_unique<HttpRule>());
    config::HttpMatch written;
    written.uri = config::StringMatch{config::StringMatch::Type::kRegex, "/a" + std::to_string(i) + "/[0-9]+", {}};
    rule.match.emplace_back().matcher = std::make_shared<const HttpMatcher>(*HttpMatcher::compile(written));
    applied.push_back({&rule, {&rule.match[0]}, false});
  }
  const RuleIndex index(applied);
  RequestView request{"GET", "http", "web", {}, {}, {}, {}};
  request.set_target("/a999/12");
  ASSERT_TRUE(index.find(request));
  EXPECT_EQ(index.find(request)->rule, 999U);
  request.set_target("/a999/x");
  EXPECT_FALSE(index.find(request));
}

}  // namespace
}  // namespace weir::routing
