#pragma once
// What of a table a view was made from, so that whoever keeps the view can tell whether a newer table still gives the
// same: tables made one after the other share what did not change. Holds what it names, not the table.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "routing/client.h"
#include "routing/table.h"

namespace weir::routing {

class Reads {
 public:
  Reads() = default;
  explicit Reads(const Table& table);

  /// Rules by that host, exact or by a wildcard.
  void add_rules(const Table& table, std::string_view host);
  /// The service, what it is another name for, and its DestinationRules as that client sees them.
  void add_service(const Table& table, const Client& client, std::string_view host);
  /// Services of the address.
  void add_address(const Table& table, const IpAddress& address);

  /// Whether all of it is in `table` as it was.
  [[nodiscard]] bool hold_in(const Table& table) const;

 private:
  enum class Map : uint8_t { kServices, kAddresses, kRules, kDestinationRules };
  struct Read {
    Map map;
    std::string key;
    std::shared_ptr<const void> value;  // null: there was none
  };
  static std::shared_ptr<const void> look_up(const Table& table, Map map, std::string_view key);
  void add(const Table& table, Map map, std::string key);

  std::vector<Read> reads_;
  /// Of a host that nobody defines it is all there is. Other settings of the mesh make every object of a table anew.
  config::MeshConfig::OutboundPolicy unknown_hosts_{};
  // Of hosts found by pattern or range.
  std::shared_ptr<const void> wide_services_, wildcard_rules_, wildcard_destinations_;
};

}  // namespace weir::routing
