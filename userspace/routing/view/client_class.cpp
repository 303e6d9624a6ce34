#include "routing/view/client_class.h"

namespace weir::routing {

std::string class_name(const Table& table, const Client& client) {
  std::string name = client.is_gateway ? "gateway" : "mesh";
  name.append(1, '\0').append(client.namespace_).append(1, '\0').append(client.node);
  if (!table.named_labels) return name;
  for (const auto& [label, value] : client.labels)
    if (table.named_labels->contains(label)) name.append(1, '\0').append(label).append(1, '=').append(value);
  return name;
}

}  // namespace weir::routing
