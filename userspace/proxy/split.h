#pragma once
// A split of requests: the kernel's own pick (bpf/pick.h) over this split's weights and endpoints.
//
// Immutable but for its cursor; any thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "bpf/abi.h"
#include "net/socket.h"
#include "pick/pick.h"
#include "proxy/cursors.h"

namespace weir::proxy {

struct WeightedEndpoint {
  net::SocketAddress address;
  uint32_t weight = 1;  // relative within its destination, > 0
};

/// One destination as the split sees it.
struct Share {
  uint64_t weight = 1;  // > 0
  std::vector<WeightedEndpoint> endpoints;
};

class Split {
 public:
  /// Errors: no share, or more than the kernel takes (MAX_DESTINATIONS), or a weight of 0.
  static Result<Split> make(std::vector<Share> shares, std::shared_ptr<Cursor> cursor);

  /// The destination's number, and this pick's number among the destination's own. Advances the cursor by one step.
  [[nodiscard]] pick::Turn pick() const;
  /// The same for a sticky key (design section 4): the same hash picks the same destination on every node, and stays
  /// there while a weight behind it in the list is raised from those before. `hash`: all bits good.
  [[nodiscard]] pick::Turn pick(uint64_t hash) const;
  /// Whose turn it is; index into endpoints(turn.destination). None: the destination has no endpoint.
  [[nodiscard]] std::optional<uint32_t> endpoint_of(const pick::Turn& turn) const;

  [[nodiscard]] size_t size() const { return shares_.size(); }
  [[nodiscard]] const std::vector<WeightedEndpoint>& endpoints(size_t destination) const {
    return shares_[destination].endpoints;
  }
  /// 0..1.
  [[nodiscard]] double share(size_t destination) const;

 private:
  Split() = default;
  void compile();
  void add_endpoints(const std::vector<WeightedEndpoint>& endpoints, abi::split_destination& destination);

  std::vector<Share> shares_;
  std::shared_ptr<Cursor> cursor_;
  std::unique_ptr<abi::split> split_;  // 1 KiB
  std::vector<abi::endpoint> endpoints_;
};

}  // namespace weir::proxy
