// What is particular to SQLite: how its connections are set up, its transactions, its errors.
// PostgreSQL will have a sibling of this file; everything above it is the same for both.
#pragma once

#include <exception>
#include <string>

#include "base/error.hpp"

namespace soci {
class session;
}

namespace tributary::store::sqlite {

// Opens the one connection that may write and checkpoint: WAL, synchronous=FULL, no mmap. The file
// must exist. Errors, kInternal: "disk_full", "store_damaged", "store_failed".
Result<void> open_writer(soci::session& sql, const std::string& path);
// Opens the reader: query_only, and it never checkpoints, not even when it closes.
Result<void> open_reader(soci::session& sql, const std::string& path);

// Reads the whole file and compares it with its indexes (quick_check: without the indexes, for
// files beyond kFullCheckLimitBytes). Error: kInternal "store_damaged" with the first finding.
Result<void> check_integrity(soci::session& sql, const std::string& path);

// Transactions, as plain statements: "begin immediate", "commit", "savepoint job" and so on.
Result<void> run(soci::session& sql, const char* statement);
// False when an error (a full disk, for example) made SQLite roll the whole transaction back by
// itself.
bool in_transaction(soci::session& sql);

// Moves the WAL into the database and cuts it to nothing, if no reader is in the way; does not wait
// for one.
Result<void> truncate_wal(soci::session& sql);
std::uint64_t wal_bytes(const std::string& path);

// What an exception of SOCI means: "disk_full", "store_damaged" or "store_failed". Any other
// exception is the failure of the code that ran: "store_failed".
Error to_error(soci::session& sql, const std::exception& exception);
// True when the last failure was a flush that the disk refused. What the page cache says about the
// file cannot be trusted from then on (edge case 29).
bool flush_failed(soci::session& sql);

}  // namespace tributary::store::sqlite
