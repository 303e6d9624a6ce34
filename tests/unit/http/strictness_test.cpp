// llhttp is strict or it is not used: no lenient flag, no lenient setter, strict mode compiled in.
#include <gtest/gtest.h>
#include <llhttp.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "http/parser.h"

namespace weir::http {
namespace {

TEST(Strictness, NoSourceOfOursNamesALenientSwitch) {
  unsigned files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(WEIR_SOURCE_DIR) / "userspace")) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".cpp") && !name.ends_with(".h") && !name.ends_with(".txt")) continue;
    ++files;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      EXPECT_EQ(line.find("llhttp_set_lenient"), std::string::npos) << entry.path() << ": " << line;
      EXPECT_EQ(line.find("LENIENT_"), std::string::npos) << entry.path() << ": " << line;
      EXPECT_EQ(line.find("lenient_flags ="), std::string::npos) << entry.path() << ": " << line;
      EXPECT_EQ(line.find("lenient_flags |="), std::string::npos) << entry.path() << ": " << line;
    }
  }
  EXPECT_GT(files, 20U);
}

TEST(Strictness, StrictModeIsCompiledIn) {
#if LLHTTP_VERSION_MAJOR < 9
  EXPECT_EQ(LLHTTP_STRICT_MODE, 1);
#endif
  Limits limits;
  RequestParser parser(limits);
  EXPECT_EQ(parser.lenient_flags(), 0U);
  // Loose llhttp takes a bare LF; strict does not, whatever our own scanner says.
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  llhttp_t raw;
  llhttp_init(&raw, HTTP_REQUEST, &settings);
  const std::string loose = "GET / HTTP/1.1\nHost: h\n\n";
  EXPECT_NE(llhttp_execute(&raw, loose.data(), loose.size()), HPE_OK);
}

}  // namespace
}  // namespace weir::http
