// Holds what Weir finds in files against what the analyzers of `istioctl analyze` say of the same files
// (corpus/verdicts/analyze; a part of it in tests/data/verdicts/analyze): code, level and object of each message.
// analyze_expected.txt names each difference and its reason.

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "config/analysis.h"
#include "config/store.h"
#include "verdict_case.h"

namespace weir::oracle {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// `code CODE | REASON`: not Weir's. `CASE | missing or extra | CODE LEVEL OBJECT | REASON`: one message.
struct Expectations {
  std::map<std::string, std::string> codes;
  std::map<std::string, std::string> messages;  // "CASE | missing | ..."
};

Expectations read_expectations() {
  Expectations result;
  std::ifstream file(std::string(WEIR_SOURCE_DIR) + "/tests/oracle/analyze_expected.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const size_t last = line.rfind(" | ");
    if (last == std::string::npos) {
      ADD_FAILURE() << "analyze_expected.txt: cannot read \"" << line << "\"";
    } else if (line.starts_with("code ")) {
      result.codes[line.substr(5, last - 5)] = line.substr(last + 3);
    } else {
      result.messages[line.substr(0, last)] = line.substr(last + 3);
    }
  }
  return result;
}

/// "VirtualService default/a" and "VirtualService a" are one.
std::string without_default(std::string object) {
  const size_t at = object.find(" default/");
  return at == std::string::npos ? object : object.erase(at + 1, 8);
}

using Messages = std::multiset<std::string>;  // "IST0101 Error VirtualService a"

Messages messages_of_weir(const std::vector<fs::path>& files) {
  config::Store store;
  for (const fs::path& path : files) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    store.set(config::read_yaml(text.str(), path.filename().string()));
  }
  config::Diagnostics all = store.diagnostics();
  std::vector<config::ObjectPtr> objects = store.objects();
  for (const auto& object : store.rejected()) objects.push_back(object);
  for (const auto& finding : config::analyze(objects, store.mesh())) all.push_back(finding);
  Messages messages;
  for (const auto& finding : all) {
    const char* level = finding.level == config::Level::kError     ? "Error"
                        : finding.level == config::Level::kWarning ? "Warning"
                                                                   : "Info";
    messages.insert(finding.code + " " + level + " " + without_default(finding.object));
  }
  return messages;
}

std::string text_of(const Json& message) {
  return message.at("code").get<std::string>() + " " + message.at("level").get<std::string>() + " " +
         without_default(message.at("origin").get<std::string>());
}

/// The codes that an analyzer may report, as far as its cases show them.
std::map<std::string, std::set<std::string>> codes_by_analyzer(const std::vector<Json>& cases) {
  std::map<std::string, std::set<std::string>> codes;
  for (const Json& item : cases) {
    for (const Json& message : item.at("messages")) codes[item.at("analyzer")].insert(message.at("code"));
  }
  return codes;
}

class Comparison {
 public:
  Comparison(const std::vector<Json>& cases, fs::path folder)
      : folder_(std::move(folder)), codes_(codes_by_analyzer(cases)) {
    for (const Json& item : cases) compare(item);
    std::printf("messages: agreed %d / differ on purpose %d / not Weir's %d / differ %d\n", agreed_, on_purpose_,
                others_, differing_);
  }
  [[nodiscard]] int differing() const { return differing_; }

 private:
  void compare(const Json& item) {
    std::vector<fs::path> files;
    for (const Json& file : item.at("files")) files.push_back(folder_ / file.get<std::string>());
    if (item.at("meshConfig").is_string()) files.push_back(folder_ / item.at("meshConfig").get<std::string>());
    Messages found = messages_of_weir(files);
    for (const Json& message : item.at("messages")) {
      const std::string code = message.at("code");
      if (expectations_.codes.contains(code)) {
        ++others_;
        continue;
      }
      const std::string text = text_of(message);
      const auto same = found.find(text);
      if (same != found.end()) {
        ++agreed_;
        found.erase(same);
      } else {
        report(item, "missing", text);
      }
    }
    // Each case asks one analyzer; Weir asks all of its own. What another analyzer of Istio's says of the files is no
    // difference.
    if (const auto all = item.find("istioctl_analyze"); all != item.end() && all->is_array()) {
      for (const Json& message : *all) {
        const auto same = found.find(text_of(message));
        if (same != found.end()) found.erase(same);
      }
    }
    const auto& codes = codes_[item.at("analyzer")];
    // IST0101 is that of half a dozen analyzers; what is not found are mostly the hosts that a case has no need of.
    const bool hosts = item.at("analyzer").get<std::string>().find("DestinationHost") != std::string::npos;
    for (const std::string& text : found) {
      if (text.starts_with("IST0101") && !hosts) continue;
      if (codes.contains(text.substr(0, text.find(' ')))) report(item, "extra", text);
    }
  }

  void report(const Json& item, const char* what, const std::string& text) {
    const std::string line = item.at("name").get<std::string>() + " | " + what + " | " + text;
    if (expectations_.messages.contains(line)) {
      ++on_purpose_;
    } else {
      ++differing_;
      std::printf("%s\n", line.c_str());
    }
  }

  const Expectations expectations_ = read_expectations();
  fs::path folder_;
  std::map<std::string, std::set<std::string>> codes_;
  int agreed_ = 0, on_purpose_ = 0, others_ = 0, differing_ = 0;
};

int compare_folder(const fs::path& folder) {
  std::ifstream file(folder / "analyze.jsonl");
  std::vector<Json> cases;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) cases.push_back(Json::parse(line));
  }
  EXPECT_FALSE(cases.empty());
  return Comparison(cases, folder / "files").differing();
}

TEST(Analyze, SaysWhatIstiosAnalyzersSayHere) {
  EXPECT_EQ(compare_folder(fs::path(WEIR_SOURCE_DIR) / "tests/data/verdicts/analyze"), 0);
}

TEST(Analyze, SaysWhatIstiosAnalyzersSay) {
  const fs::path folder = corpus_folder() / "verdicts" / "analyze";
  if (!fs::exists(folder)) GTEST_SKIP() << "no corpus: set SHARED_DIR to the folder that holds corpus/verdicts";
  EXPECT_EQ(compare_folder(folder), 0);
}

}  // namespace
}  // namespace weir::oracle
