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

  struct Pick {
    uint32_t destination = 0;
    /// Index into endpoints(destination); none: the destination has no endpoint.
    std::optional<uint32_t> endpoint;
  };
  /// Advances the cursor by one step.
  [[nodiscard]] Pick pick() const;
  /// What a given point of 2^32 picks. For tests and explanations.
  [[nodiscard]] Pick pick_at(uint32_t point) const;

  [[nodiscard]] size_t size() const { return shares_.size(); }
  [[nodiscard]] const std::vector<WeightedEndpoint>& endpoints(size_t destination) const {
    return shares_[destination].endpoints;
  }
  /// 0..1.
  [[nodiscard]] double share(size_t destination) const;

 private:
  Split() = default;
  void compile();

  std::vector<Share> shares_;
  std::shared_ptr<Cursor> cursor_;
  std::unique_ptr<abi::split> split_;  // 1 KiB
  std::vector<abi::endpoint> endpoints_;
};

}  // namespace weir::proxy
