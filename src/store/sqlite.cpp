#include "store/sqlite.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "store/query.hpp"

// SOCI declares the SQLite interface inside this namespace.
using namespace sqlite_api;

namespace tributary::store::sqlite {

namespace {

// A full integrity check reads about 200 MiB/s on a small machine; beyond this a start would take
// too long.
constexpr std::uintmax_t kFullCheckLimitBytes = std::uintmax_t{64} << 20;
// Only recovery and checkpoints ever make one connection wait for the other.
constexpr int kBusyTimeoutMs = 1000;
// Pages of 4 KiB before a commit moves the WAL into the database.
constexpr int kAutoCheckpointPages = 1000;
constexpr int kJournalSizeLimitBytes = 16 << 20;
constexpr int kCacheKiB = 4096;
// Used as far as questions about the whole plant ask for it: one page in ten thousand places.
constexpr int kReaderCacheKiB = 32768;

sqlite3* handle_of(soci::session& sql) {
  if (!sql.is_connected()) return nullptr;
  return static_cast<soci::sqlite3_session_backend*>(sql.get_backend())->conn_;
}

// SOCI reads "key=value" pairs when there is an equals sign, a bare path otherwise.
std::string connect_string(const std::string& path) {
  return path.contains('=') ? fmt::format("dbname=\"{}\"", path) : path;
}

bool is_out_of_space(int code, int system_error) {
  if (code == SQLITE_FULL) return true;
  const bool io_error = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
  return io_error && (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG);
}

Error describe(int code, int system_error, const std::string& where, std::string reason) {
  if (is_out_of_space(code, system_error)) {
    return {ErrorClass::kInternal, "disk_full",
            fmt::format("{} cannot grow: the disk is full.", where),
            "Free space on the disk of the data directory; the server goes on by itself."};
  }
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
    return {ErrorClass::kInternal, "store_damaged",
            fmt::format("{} is damaged ({}).", where, reason),
            "Restore the data directory from a backup."};
  }
  if (code == SQLITE_IOERR && system_error != 0)
    reason += fmt::format(", {}", std::strerror(system_error));
  return {ErrorClass::kInternal, "store_failed",
          fmt::format("{} refused a statement ({}).", where, reason)};
}

// What went wrong last on this connection. Call it at once: SQLite notes the operating system's
// error for most statements but not for a commit, where errno still holds it.
Error last_error(sqlite3* handle) {
  const int from_system = errno;
  const int noted = sqlite3_system_errno(handle);
  const char* path = sqlite3_db_filename(handle, "main");
  return describe(sqlite3_errcode(handle) & 0xff, noted != 0 ? noted : from_system,
                  fmt::format("The database {}", path == nullptr ? "" : path),
                  sqlite3_errmsg(handle));
}

Result<void> connect(soci::session& sql, const std::string& path) {
  try {
    sql.open(soci::sqlite3, connect_string(path));
  } catch (const std::exception& exception) {
    return fail(to_error(sql, exception));
  }
  sqlite3_extended_result_codes(handle_of(sql), 1);
  sqlite3_busy_timeout(handle_of(sql), kBusyTimeoutMs);
  TRIBUTARY_TRY(run(sql, "pragma mmap_size = 0"));
  TRIBUTARY_TRY(run(sql, "pragma trusted_schema = off"));
  TRIBUTARY_TRY(run(sql, "pragma temp_store = memory"));
  return run(sql, fmt::format("pragma cache_size = -{}", kCacheKiB).c_str());
}

}  // namespace

Result<void> open_writer(soci::session& sql, const std::string& path) {
  TRIBUTARY_TRY(connect(sql, path));
  try {
    std::string mode;
    sql << "pragma journal_mode = wal", soci::into(mode);
    if (mode != "wal") {
      return fail(
          ErrorClass::kInternal, "store_failed",
          fmt::format(
              "The file system of {} cannot hold a write-ahead log (SQLite stays in mode {}).",
              path, mode),
          "Use a data directory on a local disk.");
    }
  } catch (const std::exception& exception) {
    return fail(to_error(sql, exception));
  }
  TRIBUTARY_TRY(run(sql, "pragma synchronous = full"));
  TRIBUTARY_TRY(
      run(sql, fmt::format("pragma journal_size_limit = {}", kJournalSizeLimitBytes).c_str()));
  return run(sql, fmt::format("pragma wal_autocheckpoint = {}", kAutoCheckpointPages).c_str());
}

Result<void> open_reader(soci::session& sql, const std::string& path) {
  TRIBUTARY_TRY(connect(sql, path));
  sqlite3_db_config(handle_of(sql), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  TRIBUTARY_TRY(run(sql, "pragma wal_autocheckpoint = 0"));
  TRIBUTARY_TRY(run(sql, fmt::format("pragma cache_size = -{}", kReaderCacheKiB).c_str()));
  return run(sql, "pragma query_only = on");
}

Result<void> check_integrity(soci::session& sql, const std::string& path) {
  std::error_code ignored;
  const auto bytes = std::filesystem::file_size(path, ignored);
  const bool full = !ignored && bytes <= kFullCheckLimitBytes;
  std::string finding;
  auto read = for_each_row(sql, full ? "pragma integrity_check(1)" : "pragma quick_check(1)", {},
                           [&](Columns& columns) { finding = columns.text(); });
  if (!read) return read;
  if (finding == "ok") return {};
  return fail(ErrorClass::kInternal, "store_damaged",
              fmt::format("The database {} is damaged: {}.", path, finding),
              "Restore the data directory from a backup.");
}

Result<void> run(soci::session& sql, const char* statement) {
  sqlite3* handle = handle_of(sql);
  errno = 0;
  if (sqlite3_exec(handle, statement, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fail(last_error(handle));
}

bool in_transaction(soci::session& sql) {
  return sqlite3_get_autocommit(handle_of(sql)) == 0;
}

Result<void> truncate_wal(soci::session& sql) {
  sqlite3* handle = handle_of(sql);
  sqlite3_busy_timeout(handle, 0);
  const int code =
      sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY) return {};
  return fail(last_error(handle));
}

std::uint64_t wal_bytes(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path + "-wal", error);
  return error ? 0 : bytes;
}

Error to_error(soci::session& sql, const std::exception& exception) {
  const auto* error = dynamic_cast<const soci::sqlite3_soci_error*>(&exception);
  sqlite3* handle = handle_of(sql);
  if (error != nullptr && handle != nullptr) return last_error(handle);
  if (error != nullptr) return describe(error->result(), errno, "The database", exception.what());
  // Not the database's failure but that of the code around it.
  return {ErrorClass::kInternal, "store_failed",
          fmt::format("A job of the database failed ({}).", exception.what())};
}

bool flush_failed(soci::session& sql) {
  const int code = sqlite3_extended_errcode(handle_of(sql));
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

}  // namespace tributary::store::sqlite
