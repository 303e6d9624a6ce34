// Raw requests that nobody here wrote (../shared/corpus/http1): malformed ones are refused, valid ones accepted, and
// neither depends on where the bytes are cut. Where we differ on purpose, tests/data/http/deviations.txt says why.
#include "tests/unit/http/vectors.h"

#include <gtest/gtest.h>

#include <iostream>

namespace weir::http {
namespace {

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
    const std::string raw = vector.repaired();
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
