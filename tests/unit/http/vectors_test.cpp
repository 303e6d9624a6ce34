// Raw requests that nobody here wrote (../shared/corpus/http1): malformed ones are refused, valid ones accepted, and
// neither depends on where the bytes are cut. Where we differ on purpose, tests/data/http/deviations.txt says why.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "http/field.h"
#include "support.h"

namespace weir::http {
namespace {

std::filesystem::path corpus_file() {
  const char* shared = std::getenv("SHARED_DIR");
  const std::filesystem::path root = shared != nullptr ? shared : std::string(WEIR_SOURCE_DIR) + "/../shared";
  return root / "corpus/http1/vectors.json";
}

/// The corpus holds one byte a character.
std::string latin1(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) {
      bytes.push_back(utf8[i]);
    } else {
      bytes.push_back(static_cast<char>((c & 0x1f) << 6 | (static_cast<unsigned char>(utf8[++i]) & 0x3f)));
    }
  }
  return bytes;
}

struct Deviation {
  std::string verdict;  // accept or refuse
  std::string reason;
  bool used = false;
};

std::map<std::string, Deviation> read_deviations() {
  std::map<std::string, Deviation> deviations;
  std::ifstream file(std::string(WEIR_TEST_DATA) + "/http/deviations.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string id;
    Deviation deviation;
    words >> id >> deviation.verdict;
    std::getline(words >> std::ws, deviation.reason);
    deviations[id] = deviation;
  }
  return deviations;
}

/// Many vectors of other projects have no Host, which HTTP/1.1 demands: with one, the rest of them is looked at too.
std::string with_host(std::string raw) {
  std::string lowered = raw;
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), lower);
  if (lowered.find("\nhost") != std::string::npos || lowered.find(" http/1.0\r\n") != std::string::npos) return raw;
  constexpr std::string_view kLineEnd = " HTTP/1.1\r\n";
  for (std::size_t at = raw.find(kLineEnd); at != std::string::npos; at = raw.find(kLineEnd, at + 1)) {
    raw.insert(at + kLineEnd.size(), "Host: h\r\n");
  }
  return raw;
}

/// llhttp's fixtures have lost the empty line that ends them.
std::string with_end(std::string raw) {
  const Outcome outcome = replay_request(raw);
  if (outcome.incomplete && outcome.messages.empty() && raw.ends_with("\r\n")) raw += "\r\n";
  return raw;
}

struct Vector {
  std::string id;
  std::string raw;
  bool malformed;
};

std::vector<Vector> read_vectors() {
  std::vector<Vector> vectors;
  std::ifstream file(corpus_file());
  const nlohmann::json sets = nlohmann::json::parse(file);
  for (const auto& [set, list] : sets.items()) {
    for (const auto& entry : list) {
      const bool rejected = entry.contains("expect") && entry["expect"].get<std::string>().starts_with("reject");
      const bool malformed = set == "gunicorn_invalid" || set == "http_garden_trophies" || rejected;
      vectors.push_back(
          {set + "/" + entry["id"].get<std::string>(), latin1(entry["raw"].get<std::string>()), malformed});
    }
  }
  return vectors;
}

Outcome replay_cut(std::string_view raw, const std::vector<std::size_t>& cuts) {
  return replay_request(raw, cuts);
}

TEST(Vectors, MalformedAreRefusedAndValidAccepted) {
  if (!std::filesystem::exists(corpus_file())) GTEST_SKIP() << corpus_file() << " is absent";
  std::map<std::string, Deviation> deviations = read_deviations();
  unsigned agreed = 0;
  unsigned deviating = 0;
  unsigned cuts = 0;
  for (const Vector& vector : read_vectors()) {
    const std::string raw = vector.id.starts_with("llhttp") ? with_end(with_host(vector.raw)) : with_host(vector.raw);
    const Outcome outcome = replay_request(raw);
    // A malformed message may also end incomplete: it is aborted, not completed. A valid fixture may lack its body.
    const bool refused = outcome.refused() || (vector.malformed && outcome.incomplete);
    for (const std::string& variant : {vector.raw, raw}) {
      EXPECT_EQ(first_disagreement(variant, replay_cut), "") << vector.id;
      cuts += static_cast<unsigned>(variant.size());
    }
    const auto deviation = deviations.find(vector.id);
    if (deviation == deviations.end()) {
      EXPECT_EQ(refused, vector.malformed) << vector.id << ": " << fault_text(outcome.fault) << "\n"
                                           << raw.substr(0, 400);
      agreed += refused == vector.malformed ? 1 : 0;
      continue;
    }
    ++deviating;
    deviation->second.used = true;
    EXPECT_FALSE(deviation->second.reason.empty()) << vector.id;
    EXPECT_EQ(deviation->second.verdict, refused ? "refuse" : "accept") << vector.id;
    EXPECT_NE(refused, vector.malformed) << vector.id << " is no deviation any more";
  }
  for (const auto& [id, deviation] : deviations) EXPECT_TRUE(deviation.used) << id << " is not in the corpus";
  std::cout << "vectors: " << agreed << " agreed, " << deviating << " deviate with a reason, " << cuts
            << " bytes cut at every place\n";
}

// Without Host no HTTP/1.1 request of the corpus may pass, as it stands.
TEST(Vectors, WithoutHostNoneIsAccepted) {
  if (!std::filesystem::exists(corpus_file())) GTEST_SKIP() << corpus_file() << " is absent";
  unsigned refused = 0;
  for (const Vector& vector : read_vectors()) {
    if (with_host(vector.raw) == vector.raw) continue;
    const Outcome outcome = replay_request(with_end(vector.raw));
    EXPECT_TRUE(outcome.refused() || outcome.incomplete) << vector.id;
    ++refused;
  }
  std::cout << "vectors: " << refused << " without Host, all refused\n";
}

}  // namespace
}  // namespace weir::http
