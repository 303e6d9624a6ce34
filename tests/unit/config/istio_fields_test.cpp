// Every field of Istio's five networking kinds, as Istio's own API lists them (istio_schema.inc): none may be unknown
// to its reader. tests/data/config/istio_fields.txt says of each whether it is honoured or with which code it is
// reported; a field that Istio adds shows there as one without a line.

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "config/schema.h"
#include "support.h"

namespace weir::config {
namespace {

using schema::Field;
using schema::Type;

/// A value of the type: in a flow, with nothing that may be left out.
std::string sample(const Type& type) {
  switch (type.is) {
    case Type::Is::kString:
      if (!type.choices.empty()) return std::string(type.choices.back());
      return type.rules.empty() ? "'1'" : "5s";
    case Type::Is::kBoolean:
      return "true";
    case Type::Is::kInteger:
    case Type::Is::kNumber:
      return "7";
    case Type::Is::kList:
      return "[" + sample(*type.item) + "]";
    case Type::Is::kMap:
      return "{a: " + sample(*type.item) + "}";
    case Type::Is::kObject: {
      std::string fields;
      for (const Field& field : type.fields) {
        if (field.required)
          fields += (fields.empty() ? "" : ", ") + std::string(field.name) + ": " + sample(*field.type);
      }
      return "{" + fields + "}";
    }
  }
  return "a";
}

/// The required fields of `type` but `but`, each followed by a comma.
std::string others(const Type& type, std::string_view but) {
  std::string text;
  for (const Field& field : type.fields) {
    if (field.required && field.name != but) text += std::string(field.name) + ": " + sample(*field.type) + ", ";
  }
  return text;
}

class Walk {
 public:
  explicit Walk(const schema::Kind& kind) : kind_(kind) { object(*kind.spec, "spec", "", ""); }
  std::vector<std::string> lines;

 private:
  /// `before` and `after`: the document around a value of `type`.
  void object(const Type& type, const std::string& path, const std::string& before, const std::string& after) {
    if (!seen_.insert(&type).second) return;
    for (const Field& field : type.fields) {
      const std::string own = path + "." + std::string(field.name);
      const std::string open = before + "{" + others(type, field.name) + std::string(field.name) + ": ";
      look(own, open, sample(*field.type), "}" + after);
      descend(*field.type, own, open, "}" + after);
    }
  }

  void descend(const Type& type, const std::string& path, const std::string& before, const std::string& after) {
    if (type.is == Type::Is::kObject) object(type, path, before, after);
    if (type.is == Type::Is::kList) descend(*type.item, path + "[]", before + "[", "]" + after);
    if (type.is == Type::Is::kMap) descend(*type.item, path + "{}", before + "{a: ", "}" + after);
  }

  void look(const std::string& path, const std::string& before, const std::string& value, const std::string& after) {
    const std::string text = "apiVersion: networking.istio.io/v1\nkind: " + std::string(kind_.name) +
                             "\nmetadata: {name: a}\nspec: " + before + value + after + "\n";
    const auto column = static_cast<uint32_t>(7 + before.size());
    const std::string name = path.substr(path.rfind('.') + 1);
    std::string what = "honoured";
    for (const Diagnostic& diagnostic : read_yaml(text, "f").diagnostics) {
      if (diagnostic.message.find("unknown field") != std::string::npos &&
          diagnostic.message.find("." + name + "\"") != std::string::npos) {
        what = "UNKNOWN";
      }
      const bool here = diagnostic.at.column == column || diagnostic.at.column + name.size() + 2 == column;
      if (here && diagnostic.code.starts_with("WEIR02")) what = "reported " + diagnostic.code;
    }
    lines.push_back(std::string(kind_.name) + " " + path + " " + what);
  }

  const schema::Kind& kind_;
  std::set<const Type*> seen_;
};

TEST(IstioFields, EachIsHonouredOrReported) {
  std::vector<std::string> lines;
  for (const char* name : {"VirtualService", "DestinationRule", "Gateway", "ServiceEntry", "WorkloadEntry"}) {
    const schema::Kind* kind = schema::find_kind("networking.istio.io/v1", name);
    ASSERT_NE(kind, nullptr);
    for (const std::string& line : Walk(*kind).lines) {
      EXPECT_EQ(line.find("UNKNOWN"), std::string::npos) << line;
      lines.push_back(line);
    }
  }
  EXPECT_GT(lines.size(), 250U);
  std::string text =
      "# Made by IstioFields in tests/unit/config: each field of Istio's API, and what Weir does with a sample of "
      "it.\n";
  for (const std::string& line : lines) text += line + "\n";
  EXPECT_EQ(text, test::read_file(std::string(WEIR_SOURCE_DIR) + "/tests/data/config/istio_fields.txt"))
      << "look at each changed line, and write the file anew";
}

}  // namespace
}  // namespace weir::config
