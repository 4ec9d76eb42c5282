// The outage that a connection is in, in figures, and what people did shortly before it.
#pragma once

#include "base/error.hpp"
#include "store/rows.hpp"

namespace soci {
class session;
}

namespace tributary::store {

// How often one cause was recorded during an outage.
struct CauseCount {
  std::string cause_class;
  std::string code;
  std::int64_t count = 0;
  UtcTime first, last;
};

struct OutageRow {
  UtcTime since;  // when the connection was last seen to leave Connected, or was started
  std::int64_t failures = 0;       // entries into Disconnected and Failed
  std::vector<CauseCount> causes;  // most frequent first
};

struct Outages {
  // Of the rows behind the newest one that says Connected, or that a person or rule put to rest. A
  // restart of the hub in between does not end an outage. nullopt: there is none.
  static Result<std::optional<OutageRow>> present(soci::session& sql,
                                                  const std::string& connection_id);
  // Audit rows about any of `targets` with from <= at <= to, newest first, at most `limit`.
  static Result<std::vector<AuditRow>> changes(soci::session& sql,
                                               const std::vector<std::string>& targets,
                                               UtcTime from, UtcTime to, std::size_t limit);
  // Starts of the hub in the connection's history with from <= at <= to, newest first.
  static Result<std::vector<HistoryRow>> boots(soci::session& sql, const std::string& connection_id,
                                               UtcTime from, UtcTime to);
};

}  // namespace tributary::store
