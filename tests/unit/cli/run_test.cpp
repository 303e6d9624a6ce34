#include "cli/run.h"

#include <gmock/gmock.h>

#include "cli/command_table.h"
#include "cli_fixture.h"

namespace weir::cli {
namespace {

using ::testing::HasSubstr;

TEST(Run, NoCommandShowsHelpAndIsUsage) {
  const auto done = weir({});
  EXPECT_EQ(done.code, kUsage);
  EXPECT_EQ(done.out, "");
  EXPECT_THAT(done.err, HasSubstr("analyze"));
}

TEST(Run, HelpGoesToOut) {
  const auto done = weir({"--help"});
  EXPECT_EQ(done.code, kOk);
  EXPECT_THAT(done.out, HasSubstr("Exit codes"));
  EXPECT_EQ(done.err, "");
}

TEST(Run, EveryCommandHasHelp) {
  for (const char* command :
       {"agent", "analyze", "explain", "get", "describe", "status", "check", "apply", "delete", "diff", "weight",
        "maps", "stat", "restart-proxy", "uninstall", "version", "completion"}) {
    const auto done = weir({command, "--help"});
    EXPECT_EQ(done.code, kOk) << command;
    EXPECT_THAT(done.out, HasSubstr(command));
  }
}

TEST(Run, TheProxyIsTheAgentsToStart) {
  const auto done = weir({"proxy", "--control-fd", "999"});
  EXPECT_EQ(done.code, kUsage);
  EXPECT_THAT(done.err, HasSubstr("started by weir agent"));
  EXPECT_THAT(weir({"--help"}).out, ::testing::Not(HasSubstr("\n  proxy ")));
}

TEST(Run, UnknownCommandSuggests) {
  const auto done = weir({"analize", "x.yaml"});
  EXPECT_EQ(done.code, kUsage);
  EXPECT_THAT(done.err, HasSubstr("unknown command \"analize\""));
  EXPECT_THAT(done.err, HasSubstr("did you mean \"analyze\"?"));
}

TEST(Run, UnknownCommandThatIsLikeNothing) {
  const auto done = weir({"xyzzy"});
  EXPECT_EQ(done.code, kUsage);
  EXPECT_THAT(done.err, HasSubstr("weir --help lists the commands"));
}

TEST(Run, UnknownOption) {
  const auto done = weir({"version", "--frobnicate"});
  EXPECT_EQ(done.code, kUsage);
  EXPECT_THAT(done.err, HasSubstr("--frobnicate"));
}

TEST(Run, UnknownFormat) {
  const auto done = weir({"version", "-o", "xml"});
  EXPECT_EQ(done.code, kUsage);
  EXPECT_THAT(done.err, HasSubstr("table, wide, name, json, yaml"));
}

TEST(Run, MissingArgument) {
  EXPECT_EQ(weir({"analyze"}).code, kUsage);
}

TEST(Run, ErrorsAreJsonWhenJsonIsWanted) {
  const auto done = weir({"analize", "-o", "json"});
  EXPECT_EQ(done.code, kUsage);
  EXPECT_EQ(done.err, "");
  EXPECT_EQ(done.json()["code"], 64);
  EXPECT_THAT(done.json()["error"].get<std::string>(), HasSubstr("analize"));
}

TEST(Run, GlobalOptionsStandOnEitherSide) {
  EXPECT_EQ(weir({"-o", "json", "version"}).code, kOk);
  EXPECT_EQ(weir({"version", "-o", "json"}).json()["version"], WEIR_VERSION);
}

TEST(Run, InnerCommandIsTheOneThatRuns) {
  const auto done = weir({"maps", "dump", "nonsense", "--bpffs", "/nonexistent"});
  EXPECT_EQ(done.code, kUsage);
  EXPECT_THAT(done.err, HasSubstr("no map \"nonsense\" to dump"));
}

TEST(ParseMilliseconds, Units) {
  EXPECT_EQ(*parse_milliseconds("50"), 50);
  EXPECT_EQ(*parse_milliseconds("50ms"), 50);
  EXPECT_EQ(*parse_milliseconds("5s"), 5000);
  EXPECT_EQ(*parse_milliseconds("2m"), 120000);
  EXPECT_EQ(*parse_milliseconds("7", "s"), 7000);
  EXPECT_EQ(*parse_milliseconds("24h"), 86400000);
}

TEST(ParseMilliseconds, Errors) {
  for (const char* text : {"", "ms", "-1", "1.5s", "5 s", "5x", "25h", "99999999999999999999", "0x5", "s5"})
    EXPECT_FALSE(parse_milliseconds(text)) << text;
}

}  // namespace
}  // namespace weir::cli
