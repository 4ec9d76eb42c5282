// SQLite as the spool uses it: prepared statements over its C interface (SOCI costs more than the
// statements themselves here), and what its errors mean.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace tributary::spool {

// Codes of the errors below, all kInternal: "disk_full"; "spool_damaged", which never leaves the
// module unless mending failed; "spool_failed" for everything else that the disk refuses.
inline constexpr const char* kDamaged = "spool_damaged";
// The error "spool_damaged"; `what` ends the sentence "The spool is damaged: …".
std::unexpected<Error> damaged(std::string_view what);

constexpr int kPageBytes = 8192;

class Database;

// One statement, prepared once. Bind in order, then step.
class Statement {
 public:
  Statement() = default;
  Statement(Database& database, sqlite3_stmt* handle) : database_(&database), handle_(handle) {}
  Statement(Statement&& other) noexcept
      : database_(other.database_), handle_(std::exchange(other.handle_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(database_, other.database_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Statement();

  // Begins anew, with nothing bound.
  Statement& start();
  Statement& bind(std::int64_t number);
  // The bytes must live until the statement is done.
  Statement& bind(std::string_view text);
  Statement& blob(std::string_view bytes);
  // True when there is a row.
  Result<bool> step();
  // To the end; for statements that have no rows to give.
  Result<void> run();
  void reset();

  std::int64_t number(int column) const;
  // Lives until the next step.
  std::string_view bytes(int column) const;

 private:
  Database* database_ = nullptr;
  sqlite3_stmt* handle_ = nullptr;
  int bound_ = 0;
};

class Database {
 public:
  enum class Use : std::uint8_t { kWrite, kRead, kBuild };

  // kWrite: the one connection that writes and checkpoints (only when told to): WAL,
  // synchronous=FULL. kRead: query_only. kBuild: a new file, without any safety until finish().
  static Result<std::unique_ptr<Database>> open(const std::string& path, Use use);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<void> run(const char* statement);
  Result<Statement> prepare(const char* statement);
  // The first column of the first row as a number; 0 when there is none.
  Result<std::int64_t> number(const char* statement);
  bool in_transaction() const;
  std::int64_t changes() const;

  // Pages in the WAL after the last commit of this connection.
  std::int64_t wal_pages() const { return wal_pages_; }
  enum class Checkpoint : std::uint8_t { kPassive, kTruncate };
  // What a reader keeps it from is left for the next time.
  Result<void> checkpoint(Checkpoint kind);

  // kBuild: the file is complete, and a WAL database from now on; closes it.
  Result<void> finish();

  // What went wrong last. Call it at once.
  Error last_error();
  // The first failure of a statement since the last call: tells it from a job that was refused.
  std::optional<Error> take_failure() { return std::exchange(failure_, std::nullopt); }

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  Error describe_failure(int from_system);
  Result<void> set_up(Use use);
  Result<void> use_wal();
  static int note_wal(void* self, sqlite3* handle, const char* name, int pages);

  sqlite3* handle_;
  std::int64_t wal_pages_ = 0;
  std::optional<Error> failure_;
};

// Makes the tables in an empty file.
Result<void> create_tables(Database& database);
// Error "spool_damaged" when the tables are not exactly those.
Result<void> check_tables(Database& database);

}  // namespace tributary::spool
