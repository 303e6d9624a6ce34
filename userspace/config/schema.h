#pragma once
// What Istio's CRDs say of an object: its fields, their types and limits. The data is istio_schema.inc, made by
// scripts/istio_schema.py from Istio's own API, so that nothing here names a field. One check for all kinds, also for
// those that Weir does not read; what a reader knows to say better it says itself.
//
// A line of the data is a type, `tNUMBER WORD [item] [min=N] [max=N] [null] [open] [keys=FIELD] [one=A,B] [rule=NAME]
// [enum=A,B]`, followed by the fields of an object (`  name[!] tNUMBER`, "!": required), `kind NAME GROUP VERSIONS
// tNUMBER [spec]` ("spec": it must be there), or `mesh FIELDS`. min and max are of numbers, and of the length of texts,
// lists and maps.

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/read.h"

namespace weir::config::schema {

struct Type;
/// What is wrong with a value, or nothing: a rule that the CRDs write in CEL.
using Rule = Wrong (*)(const Node& node);

struct Field {
  std::string_view name;
  const Type* type = nullptr;
  bool required = false;
};

struct Type {
  enum class Is : uint8_t { kString, kBoolean, kInteger, kNumber, kList, kMap, kObject };
  Is is = Is::kString;
  bool null = false;                               // null is a value
  bool open = false;                               // may have any fields
  std::optional<double> min, max;                  //
  const Type* item = nullptr;                      // kList, kMap
  std::string_view key;                            // kList: of which no two items may have the same
  std::vector<std::string_view> choices;           // kString: of an enum
  std::vector<std::vector<std::string_view>> one;  // kObject: of each group at most one may be there
  std::vector<Rule> rules;
  std::vector<Field> fields;  // kObject
};

struct Kind {
  std::string_view name, group;
  std::vector<std::string_view> versions;
  const Type* spec = nullptr;
  bool spec_required = false;
};

/// All kinds of Istio's API.
const std::vector<Kind>& kinds();
/// The one of "networking.istio.io/v1", "VirtualService"; nullptr: none.
const Kind* find_kind(std::string_view api_version, std::string_view name);

/// The fields of MeshConfig, by name.
const std::vector<std::string_view>& mesh_fields();

/// Reports what the CRD would refuse in `spec` (null: there is none); with `unknown`, also the fields that it would
/// drop.
void check(Context& context, const Kind& kind, const Node* spec, Position at, bool unknown);

/// The rule of that name in the data, or nullptr.
Rule find_rule(std::string_view name);

}  // namespace weir::config::schema
