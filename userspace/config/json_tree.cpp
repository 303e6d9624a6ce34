#include "config/json_tree.h"

#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/codes.h"

namespace weir::config::json {
namespace {

using yaml::Node;

/// nlohmann's events. Each returns false to end the reading.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add(Node::Type::kNull, {}, false); }
  bool boolean(bool value) override { return add(Node::Type::kScalar, value ? "true" : "false", false); }
  bool number_integer(number_integer_t value) override {
    return add(Node::Type::kScalar, std::to_string(value), false);
  }
  bool number_unsigned(number_unsigned_t value) override {
    return add(Node::Type::kScalar, std::to_string(value), false);
  }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    return add(Node::Type::kScalar, text, false);
  }
  bool string(string_t& value) override { return add(Node::Type::kScalar, std::move(value), true); }
  bool binary(binary_t& /*value*/) override { return false; }  // no text holds one
  bool start_object(size_t /*members*/) override { return open(Node::Type::kMap); }
  bool key(string_t& name) override { return add(Node::Type::kScalar, std::move(name), true); }
  bool end_object() override { return close(); }
  bool start_array(size_t /*items*/) override { return open(Node::Type::kSequence); }
  bool end_array() override { return close(); }
  bool parse_error(size_t at, const std::string& /*last*/, const nlohmann::json::exception& /*what*/) override {
    problem_ = {{}, code::kUnreadable, "not readable as JSON, at byte " + std::to_string(at), {}};
    return false;
  }

  [[nodiscard]] const Node* root() const { return root_; }
  [[nodiscard]] const std::optional<yaml::Problem>& problem() const { return problem_; }

 private:
  bool add(Node::Type type, std::string text, bool quoted) {
    Node& node = nodes_.emplace_back();
    node.type = type;
    node.text = std::move(text);
    node.quoted = quoted;
    attach(node);
    return true;
  }

  void attach(const Node& node) {
    if (open_.empty()) {
      root_ = &node;
    } else {
      open_.back()->items.push_back(&node);
    }
  }

  bool open(Node::Type type) {
    if (open_.size() >= yaml::kMaxDepth) {
      problem_ = {{}, code::kLimit, "values are nested more than " + std::to_string(yaml::kMaxDepth) + " deep", {}};
      return false;
    }
    Node& node = nodes_.emplace_back();
    node.type = type;
    attach(node);
    open_.push_back(&node);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::deque<Node> nodes_;  // keeps addresses
  std::vector<Node*> open_;
  const Node* root_ = nullptr;
  std::optional<yaml::Problem> problem_;
};

}  // namespace

std::optional<yaml::Problem> parse(std::string_view text, const std::function<void(const Node& root)>& document) {
  if (text.size() > yaml::kMaxFileBytes) {
    return yaml::Problem{
        {}, code::kLimit, "the document has " + std::to_string(text.size()) + " bytes, the limit is 16 MiB", {}};
  }
  TreeBuilder builder;
  if (!nlohmann::json::sax_parse(text, &builder)) {
    return builder.problem().value_or(yaml::Problem{{}, code::kUnreadable, "not readable as JSON", {}});
  }
  document(*builder.root());
  return std::nullopt;
}

}  // namespace weir::config::json
