#pragma once
// Raw requests that nobody here wrote (../shared/corpus/http1), and where we differ from their verdicts on purpose
// (tests/data/http/deviations.txt).

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "http/field.h"
#include "tests/unit/http/support.h"

namespace weir::http {

inline std::filesystem::path corpus_file() {
  const char* shared = std::getenv("SHARED_DIR");
  const std::filesystem::path root = shared != nullptr ? shared : std::string(WEIR_SOURCE_DIR) + "/../shared";
  return root / "corpus/http1/vectors.json";
}

/// The corpus holds one byte a character.
inline std::string latin1(const std::string& utf8) {
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

inline std::map<std::string, Deviation> read_deviations() {
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
inline std::string with_host(std::string raw) {
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
inline std::string with_end(std::string raw) {
  const Outcome outcome = replay_request(raw);
  if (outcome.incomplete && outcome.messages.empty() && raw.ends_with("\r\n")) raw += "\r\n";
  return raw;
}

struct Vector {
  std::string id;
  std::string raw;
  bool malformed;

  /// With what it lacks only because its project does not ask for it.
  [[nodiscard]] std::string repaired() const {
    return id.starts_with("llhttp") ? with_end(with_host(raw)) : with_host(raw);
  }
};

inline std::vector<Vector> read_vectors() {
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

}  // namespace weir::http
