#pragma once
// The clients on this node, by what rules tell them apart by: frontends of the kernel hang on classes, however many
// pods each has.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ip_address.h"
#include "routing/build/objects.h"
#include "routing/plan/plan.h"
#include "routing/plan/service.h"
#include "routing/table.h"

namespace weir::routing {

class ClientClasses {
 public:
  /// False: they are the same as before.
  bool set_pods(std::vector<NodePod> pods);
  /// One more, or one less, that goes by this subnet of clients.
  void count_subnet(const Cidr& subnet, bool add);
  /// What `table` says of this pod has changed.
  void touch(const std::string& pod_key);
  /// The labels that rules name have changed.
  void touch_all() { all_ = true; }

  /// True: there are other classes than before. Pods of a class come and go without.
  bool update(const Table& table);
  [[nodiscard]] const std::vector<NodePod>& pods() const { return pods_; }
  /// In the order of their names.
  [[nodiscard]] const std::vector<PlanClass>& classes() const { return classes_; }
  /// Pods of the classes with these ids.
  template <class Ids>
  [[nodiscard]] std::vector<PlanSource> sources(const Ids& ids) const {
    std::vector<PlanSource> found;
    for (size_t i = 0; i < pods_.size(); ++i)
      if (const uint32_t id = ids_.at(names_[i]); ids.contains(id)) found.push_back({id, pods_[i]});
    return found;
  }

 private:
  struct Subnet {
    Cidr subnet;
    size_t uses = 0;
  };
  [[nodiscard]] std::string name_of(const Table& table, const Client& client) const;
  void make_classes(const Table& table);

  std::vector<NodePod> pods_;       // sorted
  std::vector<std::string> names_;  // of the class of each
  TextMap<std::vector<size_t>> pods_by_key_;
  std::map<std::string, Subnet> subnets_;
  std::vector<PlanClass> classes_;
  std::map<std::string, uint32_t, std::less<>> ids_;  // by name
  std::vector<std::string> dirty_;
  bool all_ = false;
};

}  // namespace weir::routing
