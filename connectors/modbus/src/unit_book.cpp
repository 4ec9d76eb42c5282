#include "connectors/modbus/src/unit_book.hpp"

namespace tributary::connectors::modbus {

void UnitBook::note(const std::string& connection_id, const std::bitset<256>& units) {
  if (connection_id.empty()) return;
  const std::lock_guard lock(mutex_);
  units_[connection_id] |= units;
}

std::bitset<256> UnitBook::known(const std::string& connection_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = units_.find(connection_id);
  return found == units_.end() ? std::bitset<256>{} : found->second;
}

}  // namespace tributary::connectors::modbus
