#include "connectors/opcua/src/keepsake.hpp"

namespace tributary::connectors::opcua {

void Keepsakes::leave(const std::string& connection_id, Keepsake keepsake) {
  const std::scoped_lock lock(mutex_);
  // Of connections that do not exist any more.
  std::erase_if(by_connection_, [now = keepsake.left](const auto& each) {
    return now - each.second.left > kLongest;
  });
  by_connection_.insert_or_assign(connection_id, std::move(keepsake));
}

std::optional<Keepsake> Keepsakes::take(const std::string& connection_id,
                                        const ConnectionSettings& settings, SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  auto found = by_connection_.extract(connection_id);
  if (!found || found.mapped().settings != settings || now - found.mapped().left > kLongest)
    return std::nullopt;
  return std::move(found.mapped());
}

}  // namespace tributary::connectors::opcua
