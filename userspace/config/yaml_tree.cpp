#include "config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <istream>
#include <streambuf>
#include <unordered_set>

#include "config/codes.h"
#include "config/yaml_text.h"

namespace weir::config::yaml {
namespace {

/// Reads a string_view in place.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    // A get area is never written to; the interface wants non-const pointers.
    char* begin = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    setg(begin, begin, begin + text.size());
  }
};

/// Stops yaml-cpp from inside of an event; never leaves this file.
struct Stop {
  Problem problem;
};
[[noreturn]] void stop(Position at, const char* code, std::string message, std::string hint = {}) {
  throw Stop{{at, code, std::move(message), std::move(hint)}};  // border: yaml-cpp
}

/// A line of `text`, counted from 0, without its end; empty behind the last one.
std::string_view line_of(std::string_view text, uint32_t number) {
  size_t start = 0;
  for (uint32_t line = 0; line < number && start < text.size(); ++line) {
    start = std::min(text.find('\n', start), text.size() - 1) + 1;
  }
  return text.substr(std::min(start, text.size()), text.find('\n', start) - start);
}

/// Up to this many members, comparing all pairs is quicker than hashing.
constexpr size_t kSmallMap = 16;

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, uint32_t first_line) : text_(text), first_line_(first_line) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp finds documents without end, all empty, at a token that begins none ("- a\n, b").
    if (mark.pos <= last_document_) stop(position(mark), code::kUnreadable, "not readable as YAML: unexpected text");
    last_document_ = mark.pos;
    nodes_.clear();
    open_.clear();
    anchors_.clear();
    root_ = nullptr;
    aliases_ = aliased_nodes_ = 0;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_word_alone(position(mark));
    Node* node = make(Node::Type::kNull, mark);
    if (!is_written(mark)) node->at = place_of_nothing(node->at);
    add(node, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Position at = position(mark);
    if (++aliases_ > kMaxAliases) stop(at, code::kLimit, "more than 100 aliases in one document");
    if (anchor >= anchors_.size() || anchors_[anchor].node == nullptr) {
      stop(at, code::kUnreadable, "an alias refers to the value that it is part of");
    }
    aliased_nodes_ += anchors_[anchor].size;
    if (aliased_nodes_ > kMaxAliasedNodes) {
      stop(at, code::kLimit, "aliases expand this document by more than 100000 values");
    }
    attach(anchors_[anchor].node, anchors_[anchor].size, anchors_[anchor].height);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node* node = make(Node::Type::kScalar, mark);
    // "?" is a plain scalar, "!" a quoted one; a number's or boolean's tag says what a plain scalar says anyway.
    node->quoted = tag != "?" && tag != "tag:yaml.org,2002:int" && tag != "tag:yaml.org,2002:float" &&
                   tag != "tag:yaml.org,2002:bool";
    node->text = value;
    add(node, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(make(Node::Type::kSequence, mark), anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(make(Node::Type::kMap, mark), anchor);
    open_.back().block = style == YAML::EmitterStyle::Block;
  }
  void OnMapEnd() override {
    Node& map = *open_.back().node;
    check_keys(map);
    merge(map);
    if (open_.size() > 1 && open_[open_.size() - 2].node->is_sequence()) undo_pair(map);
    close();
  }

  [[nodiscard]] const Node* root() const { return root_; }
  [[nodiscard]] Position position(const YAML::Mark& mark) const {
    if (mark.is_null()) return {first_line_, 1};
    return {first_line_ + static_cast<uint32_t>(std::max(mark.line, 0)),
            static_cast<uint32_t>(std::max(mark.column, 0)) + 1};
  }

 private:
  /// A collection whose end has not come yet.
  struct Open {
    Node* node;
    YAML::anchor_t anchor;
    uint64_t size = 1;
    size_t height = 1;
    bool block = false;  // a map with a line a key
  };
  /// `node` is null as long as the anchored value is open. `size`: values that an alias to it adds.
  struct Anchored {
    const Node* node = nullptr;
    uint64_t size = 0;
    size_t height = 0;
  };

  /// yaml-cpp takes a word without a colon at the end of a block for a key that has no value, at the key's own place.
  /// It is where a file was cut off ("wei" of "weight: 10"): what is left must not pass for the whole.
  void refuse_word_alone(Position at) const {
    if (open_.empty() || !open_.back().block) return;
    const auto& items = open_.back().node->items;
    if (items.size() % 2 == 0 || !items.back()->is_scalar() || items.back()->at != at) return;
    // "last:" at the very end has no value either.
    const std::string_view line = line_of(text_, at.line - first_line_);
    if (line.substr(0, line.find(" #")).find(':', at.column) != std::string_view::npos) return;
    stop(at, code::kUnreadable, "\"" + items.back()->text + "\" is neither a key with a colon nor a value",
         "was the file cut off?");
  }

  /// Does a null stand there ("~", "null", an anchor or a tag), or nothing?
  [[nodiscard]] bool is_written(const YAML::Mark& mark) const {
    if (mark.is_null() || static_cast<size_t>(mark.pos) >= text_.size()) return false;
    const std::string_view rest = text_.substr(static_cast<size_t>(mark.pos));
    for (const std::string_view word : {"~", "null", "Null", "NULL", "!", "&"}) {
      if (rest.starts_with(word)) return true;
    }
    return false;
  }

  /// yaml-cpp's place of a value that is not there is that of whatever comes next, in another line as a rule. Its key's
  /// is where the reader looks.
  [[nodiscard]] Position place_of_nothing(Position next) const {
    if (open_.empty() || !open_.back().node->is_map()) return next;
    const auto& items = open_.back().node->items;
    return items.size() % 2 == 0 ? next : items.back()->at;
  }

  Node* make(Node::Type type, const YAML::Mark& mark) {
    Node& node = nodes_.emplace_back();
    node.type = type;
    node.at = position(mark);
    return &node;
  }

  void remember(YAML::anchor_t anchor, const Node* node, uint64_t size, size_t height) {
    if (anchor == YAML::NullAnchor) return;
    if (anchors_.size() <= anchor) anchors_.resize(anchor + 1);
    anchors_[anchor] = {node, size, height};
  }

  void add(Node* node, YAML::anchor_t anchor) {
    remember(anchor, node, 1, 1);
    attach(node, 1, 1);
  }

  void attach(const Node* node, uint64_t size, size_t height) {
    if (open_.empty()) {
      root_ = node;
      return;
    }
    Open& parent = open_.back();
    if (open_.size() + height > kMaxDepth) too_deep(node->at);
    if (parent.node->is_map() && parent.node->items.size() % 2 == 0 && !node->is_scalar()) {
      stop(node->at, code::kUnreadable, "a key must be a string, this is " + std::string(node->describe()));
    }
    parent.node->items.push_back(node);
    parent.size += size;
    parent.height = std::max(parent.height, height + 1);
  }

  void open(Node* node, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxDepth) too_deep(node->at);
    remember(anchor, nullptr, 0, 0);
    open_.push_back({node, anchor});
  }

  void close() {
    const Open closed = open_.back();
    open_.pop_back();
    remember(closed.anchor, closed.node, closed.size, closed.height);
    attach(closed.node, closed.size, closed.height);
  }

  [[noreturn]] static void too_deep(Position at) {
    stop(at, code::kLimit, "values are nested more than " + std::to_string(kMaxDepth) + " deep");
  }

  static void check_keys(const Node& map) {
    const auto refuse = [](const Node& key, const Node& first) {
      stop(key.at, code::kUnreadable,
           "key \"" + key.text + "\" is given twice, first in line " + std::to_string(first.at.line),
           "remove one of the two");
    };
    const auto& items = map.items;
    if (items.size() <= 2 * kSmallMap) {
      for (size_t i = 2; i < items.size(); i += 2) {
        for (size_t j = 0; j < i; j += 2) {
          if (items[i]->text == items[j]->text) refuse(*items[i], *items[j]);
        }
      }
      return;
    }
    const auto hash = [](const Node* node) { return std::hash<std::string>{}(node->text); };
    const auto equal = [](const Node* a, const Node* b) { return a->text == b->text; };
    std::unordered_set<const Node*, decltype(hash), decltype(equal)> seen(items.size(), hash, equal);
    for (size_t i = 0; i < items.size(); i += 2) {
      const auto [place, fresh] = seen.insert(items[i]);
      if (!fresh) refuse(*items[i], **place);
    }
  }

  /// `[fd00::]`: YAML 1.2 sees a map {"fd00:": null} without braces, Go's reader a string, and so did whoever wrote it.
  static void undo_pair(Node& map) {
    if (map.items.size() != 2 || !map.items[1]->is_null()) return;
    const Node& key = *map.items[0];
    const bool in_flow = map.at == key.at && map.items[1]->at.line == key.at.line;
    if (!in_flow || key.quoted || !key.text.ends_with(':')) return;
    map.type = Node::Type::kScalar;
    map.text = key.text + ":";
    map.items.clear();
  }

  /// `<<: *base` (YAML 1.1 merge keys, which kubectl takes): own keys win, then earlier bases.
  static void merge(Node& map) {
    const Node* base = nullptr;
    for (size_t i = 0; i < map.items.size(); i += 2) {
      if (map.items[i]->text != "<<" || map.items[i]->quoted) continue;
      base = map.items[i + 1];
      map.items.erase(map.items.begin() + static_cast<ptrdiff_t>(i), map.items.begin() + static_cast<ptrdiff_t>(i) + 2);
      break;
    }
    if (base == nullptr || base->is_null()) return;
    std::vector<const Node*> bases;
    if (base->is_sequence()) {
      bases = base->items;
    } else {
      bases.push_back(base);
    }
    std::unordered_set<std::string_view> keys;
    for (size_t i = 0; i < map.items.size(); i += 2) keys.insert(map.items[i]->text);
    for (const Node* from : bases) {
      if (!from->is_map()) {
        stop(from->at, code::kUnreadable,
             "\"<<\" takes a map or a list of maps, this is " + std::string(from->describe()), {});
      }
      for (size_t i = 0; i < from->items.size(); i += 2) {
        if (!keys.insert(from->items[i]->text).second) continue;
        map.items.push_back(from->items[i]);
        map.items.push_back(from->items[i + 1]);
      }
    }
  }

  std::string_view text_;
  uint32_t first_line_;
  int last_document_ = -1;  // where the last one began, in bytes
  std::deque<Node> nodes_;  // keeps addresses
  std::vector<Open> open_;
  std::vector<Anchored> anchors_;
  const Node* root_ = nullptr;
  uint64_t aliases_ = 0, aliased_nodes_ = 0;
};

/// What helps most often for what yaml-cpp says.
std::string hint_for(const std::string& message, std::string_view text, uint32_t line_in_text) {
  const std::string_view line = line_of(text, line_in_text);
  const size_t indent = line.find_first_not_of(" \t");
  if (line.substr(0, indent).find('\t') != std::string_view::npos) return "YAML is indented with spaces, not with tabs";
  if (message.find("end of") != std::string::npos || message.find("EOF") != std::string::npos) {
    return "is the file complete, and does every line have the right indentation?";
  }
  if (message.find("illegal map value") != std::string::npos) return "a value that holds \": \" needs quotes";
  return {};
}

/// The one border at which yaml-cpp's exceptions end.
void parse_piece(const Piece& piece, const std::function<void(const Node&, std::string_view)>& document,
                 const std::function<void(Problem)>& problem) {
  TreeBuilder builder(piece.text, piece.line);
  ViewBuffer buffer(piece.text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
      if (builder.root() != nullptr && !builder.root()->is_null()) document(*builder.root(), piece.text);
    }
  } catch (Stop& stopped) {  // border: yaml-cpp
    problem(std::move(stopped.problem));
  } catch (const YAML::Exception& exception) {  // border: yaml-cpp
    const auto line = static_cast<uint32_t>(std::max(exception.mark.line, 0));
    problem({builder.position(exception.mark), code::kUnreadable, "not readable as YAML: " + exception.msg,
             hint_for(exception.msg, piece.text, line)});
  } catch (const std::exception& exception) {  // border: yaml-cpp
    problem({{piece.line, 1}, code::kUnreadable, std::string("not readable as YAML: ") + exception.what(), {}});
  }
}

}  // namespace

std::string_view Node::describe() const {
  switch (type) {
    case Type::kNull:
      return "null";
    case Type::kScalar:
      return quoted ? "a string" : "a scalar";
    case Type::kSequence:
      return "a list";
    case Type::kMap:
      return "a map";
  }
  return "?";
}

const Node* find(const Node& map, std::string_view key) {
  if (!map.is_map()) return nullptr;
  for (size_t i = 0; i + 1 < map.items.size(); i += 2) {
    if (map.items[i]->text == key) return map.items[i + 1];
  }
  return nullptr;
}

void parse(std::string_view text, const std::function<void(const Node& root, std::string_view text)>& document,
           const std::function<void(Problem problem)>& problem) {
  if (auto bad = check_encoding(text)) return problem(std::move(*bad));
  for (const Piece& piece : split_documents(text)) {
    if (auto bad = check_size(piece)) {
      problem(std::move(*bad));
    } else {
      parse_piece(piece, document, problem);
    }
  }
}

}  // namespace weir::config::yaml
