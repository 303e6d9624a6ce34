#pragma once
// The one list of the kinds of objects that Weir reads.

#include <span>
#include <string_view>

#include "config/model.h"

namespace weir::config {

class Fields;

struct KindInfo {
  Kind kind{};
  std::string_view name;                       // "VirtualService"
  std::string_view plural;                     // "virtualservices", as in an API server's paths
  std::string_view group;                      // "networking.istio.io"; empty: the core group
  std::span<const std::string_view> versions;  // all have one form; the first is the one to advise
  bool cluster_scoped = false;
  bool strict = false;  // fields beside metadata, spec and status are reported
  /// An object of this kind, with nothing in it but meta.kind.
  AnyObject (*make)() = nullptr;
  /// Reads and validates all but the metadata; see read.h.
  void (*read)(Fields& root, AnyObject& object) = nullptr;

  /// "networking.istio.io/v1", "v1".
  [[nodiscard]] std::string api_version(std::string_view version) const;
  [[nodiscard]] std::string api_version() const { return api_version(versions.front()); }
};

/// In the order of Kind.
[[nodiscard]] std::span<const KindInfo> kinds();
[[nodiscard]] const KindInfo& info(Kind kind);
/// The kind that Weir reads, or nullptr.
[[nodiscard]] const KindInfo* find_kind(std::string_view api_version, std::string_view kind);
/// The same, whatever the version: to tell the reader which version would be right.
[[nodiscard]] const KindInfo* find_kind_in_group(std::string_view group, std::string_view kind);

/// "networking.istio.io" of "networking.istio.io/v1"; empty of "v1".
[[nodiscard]] std::string_view group_of(std::string_view api_version);

}  // namespace weir::config
