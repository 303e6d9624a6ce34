#pragma once
// headers.request and headers.response of a route and its destinations, compiled, in the order in which Istio applies
// them (semantics 1.2, istio-facts 31).
//
// With one destination its operations are appended to the route's and all run as one stage; with several the
// destination's run first, then the route's. In a stage removes come first, then sets, then adds. Names are in lower
// case from here on.

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "routing/rule/request_view.h"

namespace weir::routing {

/// Header fields that can be changed, in order; names in any case.
using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// What a format string can speak of. Borrows.
struct FormatContext {
  const RequestView& request;       // method, scheme, authority and target; not its headers
  const HeaderList& headers;        // of the request, as they are now
  std::string_view client_address;  // without port; empty: unknown
};

/// A header value with Envoy's format strings: %REQ(NAME)%, %REQ(NAME?OTHER):LENGTH%, %PROTOCOL%,
/// %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%, and %% for a percent sign. Immutable; any thread.
class HeaderFormat {
 public:
  /// Errors: a lone '%', a command that is not one of the above.
  static Result<HeaderFormat> parse(std::string_view text);
  /// What is missing reads as nothing.
  [[nodiscard]] std::string format(const FormatContext& context) const;
  /// Nothing of the request is in it.
  [[nodiscard]] bool constant() const {
    return pieces_.empty() || (pieces_.size() == 1 && pieces_.front().kind == Piece::Kind::kText);
  }
  /// Precondition: constant().
  [[nodiscard]] std::string_view text() const {
    return pieces_.empty() ? std::string_view() : std::string_view(pieces_.front().text);
  }

 private:
  struct Piece {
    enum class Kind { kText, kRequestHeader, kProtocol, kClientAddress };
    Kind kind = Kind::kText;
    std::string text;         // kText: itself; kRequestHeader: the name, in lower case
    std::string alternative;  // kRequestHeader: looked up where the first is missing; may be empty
    size_t max_size = std::string::npos;
  };
  static Result<Piece> parse_command(std::string_view command);
  std::vector<Piece> pieces_;
};

/// The same outcome in three lists, each name at most once a list: remove, then set, then add. Several values to add
/// are joined by ",".
struct HeaderEffect {
  std::map<std::string, std::string> set, add;
  std::vector<std::string> remove;  // sorted
  [[nodiscard]] bool empty() const { return set.empty() && add.empty() && remove.empty(); }
  bool operator==(const HeaderEffect&) const = default;
};

class HeaderPlan {
 public:
  HeaderPlan() = default;
  /// Of a request or of a response. `only_destination`: the route has one destination. Errors name the header.
  static Result<HeaderPlan> compile(const config::HeaderOperations& route, const config::HeaderOperations& destination,
                                    bool only_destination);

  [[nodiscard]] bool empty() const { return stages_.empty() && authority_.empty(); }
  /// Changes `headers` in place. A value that comes out empty changes nothing (istio-facts 31). `context.headers` may
  /// be the same list: values are made before anything but the removes of their stage is applied.
  void apply(HeaderList& headers, const FormatContext& context) const;
  /// No value depends on the request: apply_constant() comes to the same as apply().
  [[nodiscard]] bool constant() const { return constant_; }
  /// On any list of fields that has remove(name), set(name, value) and add(name, value). Copies no list.
  template <class List>
  void apply_constant(List& headers) const {
    for (const Stage& stage : stages_) {
      for (const std::string& name : stage.remove) headers.remove(name);
      for (const Value& value : stage.set) {
        if (!value.format.text().empty()) headers.set(value.name, value.format.text());
      }
      for (const Value& value : stage.add) {
        if (!value.format.text().empty()) headers.add(value.name, value.format.text());
      }
    }
  }
  /// What apply() comes to. `on_request`: the fields are applied to the request that `context` describes, so that
  /// format strings see each stage's outcome; false for a response.
  [[nodiscard]] HeaderEffect effect(const FormatContext& context, bool on_request) const;
  /// A set or add of "host" or ":authority": the Host to send, taken literally; empty: none. The route's wins.
  [[nodiscard]] const std::string& authority() const { return authority_; }

 private:
  struct Value {
    std::string name;
    HeaderFormat format;
  };
  struct Stage {
    std::vector<std::string> remove;
    std::vector<Value> set, add;
  };
  static Result<void> extend(Stage& stage, const config::HeaderOperations& operations);
  static std::vector<std::string> format_all(const std::vector<Value>& values, const FormatContext& context);

  std::vector<Stage> stages_;
  std::string authority_;
  bool constant_ = true;
};

}  // namespace weir::routing
