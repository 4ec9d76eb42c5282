// Looking for rows of the audit trail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "store/rows.hpp"

namespace soci {
class session;
}

namespace tributary::store {

// Empty members mean any.
struct AuditFilter {
  std::string text;    // part of who, what or about what; case of a to z does not matter
  std::string actor;   // exactly
  std::string action;  // exactly, or everything below it: "connection" finds "connection.suspend"
  std::string target;  // exactly
  std::optional<UtcTime> from, to;  // at: from <= at < to
};

// Newest first, below seq `before` (0: the start).
Result<std::vector<AuditRow>> search_audit(soci::session& sql, const AuditFilter& filter,
                                           std::int64_t before, std::size_t limit);

}  // namespace tributary::store
