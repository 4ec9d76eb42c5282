// The tables, as numbered steps. A step that was released is never changed: a new one is added.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"

namespace soci {
class session;
}

namespace tributary::store {

struct Migration {
  int number = 0;
  std::vector<std::string> statements;  // SQL that SQLite and PostgreSQL both read
};

// All steps of this version, in order, numbered from 1 without gaps.
const std::vector<Migration>& migrations();

// Applies the steps the database lacks, each in one transaction with its row in schema_version: a
// crash in between leaves a whole step or nothing. Errors, kInternal: "store_too_new" when the
// database knows a step that `steps` does not; "disk_full", "store_failed", "store_damaged".
Result<void> migrate(soci::session& sql, std::span<const Migration> steps, UtcTime now);

}  // namespace tributary::store
