#pragma once
// Objects that come one by one (from an API server), and several sources as one set. A folder is all or nothing; here
// each object stands for itself: one that is refused keeps its last good version, and everything else goes on.
//
// Pure, one owner.

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/store.h"

namespace weir::config {

struct ObjectKey {
  Kind kind{};
  std::string namespace_, name;
  auto operator<=>(const ObjectKey&) const = default;
};
ObjectKey key_of(const Metadata& meta);

/// Calls `each` with every object of a JSON text (one object, or a list of any kind of list), in the form of a file of
/// its own. The file's name says which object and version it was: "VirtualService/default/reviews@1234". What is wrong
/// with the text as a whole comes as one without objects. `source` names it then.
void read_json(std::string_view text, std::string_view source, const std::function<void(ParsedFile object)>& each);

class ObjectSource {
 public:
  /// One object, as read_json() gives it.
  Delta set(ParsedFile object);
  Delta remove(const ObjectKey& key);
  /// After all objects of `kind` were listed anew: those not in `listed` (sorted) have gone.
  Delta retain(Kind kind, const std::vector<ObjectKey>& listed);

  [[nodiscard]] size_t size() const { return good_.size(); }
  [[nodiscard]] std::vector<ObjectPtr> objects() const;
  /// Of the newest version of each object, and which version goes on where that was refused.
  [[nodiscard]] Diagnostics diagnostics() const;

 private:
  struct Kept {
    ObjectPtr object;  // the last good version; null: there was none
    Diagnostics diagnostics;
    bool refused = false;  // the newest version
  };
  std::map<ObjectKey, Kept> good_;
};

/// Of one object in several sources, that of the first of them counts: files of the node say what holds on the node.
class ObjectSet {
 public:
  enum class Source { kFolder, kApiServer };

  /// What `delta` of one source changes of the whole.
  Delta take(Source source, const Delta& delta);
  [[nodiscard]] size_t size() const { return objects_.size(); }
  /// Says of each object that is not used where the one is that counts.
  [[nodiscard]] Diagnostics shadowed() const;

 private:
  static constexpr size_t kSources = 2;
  struct Place {
    std::array<ObjectPtr, kSources> of;  // by Source
    [[nodiscard]] ObjectPtr first() const;
  };
  std::map<ObjectKey, Place> objects_;
};

}  // namespace weir::config
