#include "config/yaml_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "support.h"

namespace weir::config {
namespace {

using testing::ElementsAre;

/// Calls `use` with the fields of `text`, and returns what was said.
std::vector<std::string> with(std::string_view text, const std::function<void(Fields&)>& use,
                              Fields::Unknown unknown = Fields::Unknown::kWarn) {
  Diagnostics said;
  Context context(said, "f");
  yaml::parse(
      text,
      [&](const Node& root, std::string_view) {
        Fields fields(context, root, Path{nullptr, "spec", -1});
        use(fields);
        fields.finish(unknown);
      },
      [](const yaml::Problem& problem) { ADD_FAILURE() << problem.message; });
  return test::lines(said);
}

TEST(Fields, FindsBothSpellings) {
  EXPECT_THAT(with("sourceLabels: {a: b}", [](Fields& f) { EXPECT_EQ(f.labels("sourceLabels").size(), 1U); }),
              ElementsAre());
  EXPECT_THAT(with("source_labels: {a: b}", [](Fields& f) { EXPECT_EQ(f.labels("sourceLabels").size(), 1U); }),
              ElementsAre());
  EXPECT_THAT(with("sourceLabels: {}\nsource_labels: {}", [](Fields& f) { f.labels("sourceLabels"); }),
              ElementsAre("2:1 Error IST0106 spec.sourceLabels is given twice, in both of its spellings"));
  EXPECT_THAT(with("source_Labels: {}", [](Fields& f) { EXPECT_EQ(f.find("sourceLabels"), nullptr); }),
              ElementsAre("1:1 Warning IST0133 unknown field \"spec.source_Labels\" is ignored"));
}

TEST(Fields, LabelsStayStrings) {
  with("l: {version: 1.10, country: no, time: 12:30, on: yes, empty: ''}", [](Fields& f) {
    EXPECT_EQ(f.labels("l"),
              (Labels{{"version", "1.10"}, {"country", "no"}, {"time", "12:30"}, {"on", "yes"}, {"empty", ""}}));
  });
}

TEST(Fields, NullIsAbsent) {
  EXPECT_THAT(with("a: null\nb: ~\nc:",
                   [](Fields& f) {
                     EXPECT_EQ(f.find("a"), nullptr);
                     EXPECT_TRUE(f.present("b"));
                     EXPECT_EQ(f.text("c"), "");
                     EXPECT_FALSE(f.integer("a", 0, 9));
                   }),
              ElementsAre());
}

TEST(Fields, TypesAreHeldTo) {
  using Use = std::function<void(Fields&)>;
  const std::vector<std::tuple<std::string, Use, std::string>> table = {
      {"a: [x]", [](Fields& f) { f.text("a"); }, "1:4 Error IST0106 spec.a must be a string, it is a list"},
      {"a: {b: }", [](Fields& f) { f.text("a"); }, "1:4 Error IST0106 spec.a must be a string, it is a map"},
      {"a: yes", [](Fields& f) { f.boolean("a"); }, "1:4 Error IST0106 spec.a must be true or false, it is \"yes\""},
      {"a: 'true'", [](Fields& f) { f.boolean("a"); },
       "1:4 Error IST0106 spec.a must be true or false, it is \"true\""},
      {"a: 50.5", [](Fields& f) { f.integer("a", 0, 99); },
       "1:4 Error IST0106 spec.a must be a whole number, it is \"50.5\""},
      {"a: 0x10", [](Fields& f) { f.integer("a", 0, 99); },
       "1:4 Error IST0106 spec.a must be a whole number, it is \"0x10\""},
      {"a: 100", [](Fields& f) { f.integer("a", 0, 99); }, "1:4 Error IST0106 spec.a is 100, it must be 0 to 99"},
      {"a: 65536", [](Fields& f) { f.port("a"); }, "1:4 Error IST0106 spec.a is 65536, it must be 1 to 65535"},
      {"a: 0", [](Fields& f) { f.port("a"); }, "1:4 Error IST0106 spec.a is 0, it must be 1 to 65535"},
      {"a: -1", [](Fields& f) { f.count("a"); }, "1:4 Error IST0106 spec.a is -1, it must be 0 to 2147483647"},
      {"a: 5", [](Fields& f) { f.duration("a"); }, "1:4 Error IST0106 spec.a must be a duration, it is \"5\""},
      {"a: ten", [](Fields& f) { f.number("a"); }, "1:4 Error IST0106 spec.a must be a number, it is \"ten\""},
      {"a: x", [](Fields& f) { f.list("a"); }, "1:4 Error IST0106 spec.a must be a list, it is a scalar"},
      {"a: x", [](Fields& f) { f.labels("a"); }, "1:4 Error IST0106 spec.a must be a map, it is a scalar"},
      {"a: {b: [c]}", [](Fields& f) { f.labels("a"); }, "1:8 Error IST0106 spec.a.b must be a string, it is a list"},
      {"a: [b, [c]]", [](Fields& f) { f.texts("a"); }, "1:8 Error IST0106 spec.a[1] must be a string, it is a list"},
      {"a: [{}, null]", [](Fields& f) { f.each("a", [](Fields&) {}); }, "1:9 Error IST0106 spec.a[1] must not be null"},
      {"a: [5]", [](Fields& f) { f.each("a", [](Fields&) { FAIL(); }); },
       "1:5 Error IST0106 spec.a[0] must be a map, it is a scalar"},
      {"a: {b: 1}", [](Fields& f) { f.map("a", [](Fields&) {}); },
       "1:5 Warning IST0133 unknown field \"spec.a.b\" is ignored"},
  };
  for (const auto& [text, use, expected] : table) EXPECT_THAT(with(text, use), ElementsAre(expected)) << text;
}

TEST(Fields, QuotedNumbersAreNone) {
  EXPECT_THAT(with("a: \"50\"\nb: 80.0",
                   [](Fields& f) {
                     EXPECT_FALSE(f.integer("a", 0, 99));
                     EXPECT_EQ(f.port("b")->value, 80);
                   }),
              ElementsAre("1:4 Error IST0106 spec.a must be a whole number, it is \"50\""));
}

TEST(Fields, ChoicesAreNames) {
  enum class Colour { kRed, kGreen };
  const auto read = [](Fields& f) { return f.choice<Colour>("a", {{"RED", Colour::kRed}, {"GREEN", Colour::kGreen}}); };
  with("a: GREEN", [&](Fields& f) { EXPECT_EQ(read(f)->value, Colour::kGreen); });
  for (const char* text : {"a: green", "a: 1", "a: 2", "a: [RED]", "a: ''"}) {
    EXPECT_EQ(with(text, [&](Fields& f) { EXPECT_FALSE(read(f)); }).size(), 1U) << text;
  }
}

TEST(Fields, UnknownOnesAreRefusedInMatches) {
  EXPECT_THAT(
      with(
          "claims: {}", [](Fields&) {}, Fields::Unknown::kRefuse),
      ElementsAre("1:1 Error WEIR0101 unknown field \"spec.claims\" in a match: Weir does not ignore a condition that "
                  "it cannot evaluate"));
  EXPECT_THAT(with(
                  "claims: {}", [](Fields&) {}, Fields::Unknown::kIgnore),
              ElementsAre());
  EXPECT_THAT(with("claims: {}", [](Fields& f) { f.ignore({"claims"}); }), ElementsAre());
}

TEST(Fields, NotHonouredNamesFieldAndReason) {
  EXPECT_THAT(with("a: 1\ntunnel: {}",
                   [](Fields& f) {
                     f.ignore({"a"});
                     f.not_honoured("tunnel", code::kTunnel, "because");
                     f.not_honoured("absent", code::kTunnel, "because");
                   }),
              ElementsAre("2:1 Warning WEIR0203 spec.tunnel is not honoured: because"));
}

TEST(Fields, OfSomethingElseThanAMapThereAreNone) {
  EXPECT_THAT(with("[a]", [](Fields& f) { EXPECT_EQ(f.find("a"), nullptr); }),
              ElementsAre("1:1 Error IST0106 spec must be a map, it is a list"));
}

}  // namespace
}  // namespace weir::config
