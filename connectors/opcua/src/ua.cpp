#include "connectors/opcua/src/ua.hpp"

namespace tributary::connectors::opcua {

UtcTime to_utc(UA_DateTime time) {
  return from_micros((time - UA_DATETIME_UNIX_EPOCH) / UA_DATETIME_USEC);
}

UA_DateTime from_utc(UtcTime time) {
  return to_micros(time) * UA_DATETIME_USEC + UA_DATETIME_UNIX_EPOCH;
}

}  // namespace tributary::connectors::opcua
