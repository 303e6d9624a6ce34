#include "agent/views/question.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "routing/build/table_builder.h"
#include "samples.h"

namespace weir::agent {
namespace {

using nlohmann::json;

class QuestionTest : public ::testing::Test {
 protected:
  std::shared_ptr<const routing::Table> table_ = routing::build_table(sample_store());
};

TEST_F(QuestionTest, ClientIsThePodThatIsNamed) {
  const auto question = read_question(json::parse(R"({"from_pod": "default/reviews-2", "host": "reviews"})"), *table_);
  ASSERT_TRUE(question) << question.error().message;
  EXPECT_EQ(question->client.namespace_, "default");
  EXPECT_EQ(question->client.labels.at("version"), "v2");
  EXPECT_EQ(question->client.address, IpAddress::parse("10.1.0.2"));
}

TEST_F(QuestionTest, WithoutAPodAsEverywhere) {
  const auto question =
      read_question(json::parse(R"({"from": {"namespace": "x", "labels": {"a": "b"}}, "host": "h"})"), *table_);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->client.namespace_, "x");
}

TEST_F(QuestionTest, Errors) {
  for (const char* text :
       {R"({"from_pod": "default/nobody", "host": "x"})", R"({"from_pod": "reviews-2", "host": "x"})",
        R"({"from_pod": "/x", "host": "x"})", R"({"from_pod": "x/", "host": "x"})", R"({"from_pod": 5, "host": "x"})",
        R"({"from_pod": null, "host": "x"})", R"([])", R"("x")", R"({"host": "x", "port": 0})"})
    EXPECT_FALSE(read_question(json::parse(text), *table_)) << text;
}

}  // namespace
}  // namespace weir::agent
