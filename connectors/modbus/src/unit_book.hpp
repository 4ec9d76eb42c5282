// Which units the functions of a connection ask: known before the session asks any, so that one
// silent unit is not taken for the whole connection.
#pragma once

#include <bitset>
#include <map>
#include <mutex>
#include <string>

namespace tributary::connectors::modbus {

// Any thread.
class UnitBook {
 public:
  void note(const std::string& connection_id, const std::bitset<256>& units);
  std::bitset<256> known(const std::string& connection_id) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::bitset<256>, std::less<>> units_;
};

}  // namespace tributary::connectors::modbus
