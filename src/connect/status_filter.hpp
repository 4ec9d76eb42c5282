// Which connections, and which of their changes, a trigger or a notice is about. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "connect/change_digest.hpp"
#include "connect/status.hpp"

namespace tributary::connect {

struct ConnectionFilter {
  std::vector<std::string> ids;                             // empty: any
  std::vector<std::pair<std::string, std::string>> labels;  // all of them
  std::string type;                                         // empty: any

  bool is_open() const { return ids.empty() && labels.empty() && type.empty(); }
  bool takes(const std::string& id, const std::string& of_type, const Json& its_labels) const;
};

struct StatusFilter {
  ConnectionFilter connections;
  std::vector<Status> from;  // empty: any
  std::vector<Status> to;    // empty: any

  bool takes(Status left, Status entered) const;
};

// From the members connectionIds, labels, type, from and to of a document that was validated.
ConnectionFilter read_connection_filter(const Json& document);
StatusFilter read_status_filter(const Json& document);
// forMs and debounceMs.
DigestRule read_digest_rule(const Json& document);

// Disconnected, Reconnecting and Failed are one condition: the link is down, whatever the hub does
// about it at the moment.
DigestState digest_state(Status status);

}  // namespace tributary::connect
