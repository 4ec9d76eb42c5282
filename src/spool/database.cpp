#include "spool/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <array>
#include <cerrno>
#include <cstring>

#include "spool/files.hpp"

namespace tributary::spool {

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorClass::kInternal, kDamaged, fmt::format("The spool is damaged: {}.", what));
}

namespace {

constexpr int kCacheKiB = 4096;
constexpr int kBusyTimeoutMs = 1000;
constexpr int kJournalSizeLimitBytes = 16 << 20;

// As SQLite keeps them: the texts are compared at every start.
constexpr std::array<std::string_view, 4> kTables = {
    "CREATE TABLE queues(id integer primary key,slot blob not null)",
    "CREATE TABLE chunks(queue integer,first integer,count integer not null,bytes integer not "
    "null,oldest integer not null,sum integer not null,data blob not null,primary "
    "key(queue,first)) without rowid",
    "CREATE TABLE dead(pipeline text,id text,queue integer not null,seq integer not null,bytes "
    "integer not null,record blob not null,primary key(pipeline,id)) without rowid",
    "CREATE TABLE states(pipeline text,node text,key text,record blob not null,primary "
    "key(pipeline,node,key)) without rowid"};

}  // namespace

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

Statement& Statement::start() {
  sqlite3_reset(handle_);
  bound_ = 0;
  return *this;
}

// A bind fails only for want of memory or a wrong index, both defects: the step that follows says
// so.
Statement& Statement::bind(std::int64_t number) {
  sqlite3_bind_int64(handle_, ++bound_, number);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  sqlite3_bind_text64(handle_, ++bound_, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::blob(std::string_view bytes) {
  sqlite3_bind_blob64(handle_, ++bound_, bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

Result<bool> Statement::step() {
  errno = 0;
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(handle_);
    return false;
  }
  Error error = database_->last_error();
  sqlite3_reset(handle_);
  return fail(std::move(error));
}

Result<void> Statement::run() {
  for (;;) {
    auto row = step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) return {};
  }
}

void Statement::reset() {
  sqlite3_reset(handle_);
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(handle_, column);
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(handle_, column);
  const int length = sqlite3_column_bytes(handle_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(length)};
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, Use use) {
  sqlite3* handle = nullptr;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (use == Use::kBuild) flags |= SQLITE_OPEN_CREATE;
  errno = 0;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) return fail(database->last_error());
  TRIBUTARY_TRY(database->set_up(use));
  return database;
}

Result<void> Database::set_up(Use use) {
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
  // Files that may be damaged are left as they are when they are closed.
  if (use != Use::kBuild) sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  for (const char* pragma : {"pragma mmap_size=0", "pragma trusted_schema=off",
                             "pragma temp_store=memory", "pragma secure_delete=off"}) {
    TRIBUTARY_TRY(run(pragma));
  }
  TRIBUTARY_TRY(run(fmt::format("pragma cache_size=-{}", kCacheKiB).c_str()));
  if (use == Use::kBuild) {
    TRIBUTARY_TRY(run(fmt::format("pragma page_size={}", kPageBytes).c_str()));
    for (const char* pragma : {"pragma auto_vacuum=incremental", "pragma journal_mode=off",
                               "pragma synchronous=off", "pragma encoding='UTF-8'"}) {
      TRIBUTARY_TRY(run(pragma));
    }
    return {};
  }
  TRIBUTARY_TRY(run("pragma wal_autocheckpoint=0"));
  if (use == Use::kRead) return run("pragma query_only=on");
  sqlite3_wal_hook(handle_, &Database::note_wal, this);
  TRIBUTARY_TRY(use_wal());
  TRIBUTARY_TRY(run("pragma synchronous=full"));
  return run(fmt::format("pragma journal_size_limit={}", kJournalSizeLimitBytes).c_str());
}

Result<void> Database::use_wal() {
  auto mode = prepare("pragma journal_mode=wal");
  if (!mode) return fail(std::move(mode.error()));
  auto row = mode->step();
  if (!row) return fail(std::move(row.error()));
  if (*row && mode->bytes(0) == "wal") return {};
  return fail(ErrorClass::kInternal, "spool_failed",
              "The file system of the data directory cannot hold a write-ahead log.",
              "Use a data directory on a local disk.");
}

Database::~Database() {
  sqlite3_close_v2(handle_);
}

int Database::note_wal(void* self, sqlite3*, const char*, int pages) {
  static_cast<Database*>(self)->wal_pages_ = pages;
  return SQLITE_OK;
}

Result<void> Database::run(const char* statement) {
  errno = 0;
  if (sqlite3_exec(handle_, statement, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fail(last_error());
}

Result<Statement> Database::prepare(const char* statement) {
  sqlite3_stmt* handle = nullptr;
  errno = 0;
  if (sqlite3_prepare_v3(handle_, statement, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr) !=
      SQLITE_OK) {
    return fail(last_error());
  }
  return Statement(*this, handle);
}

Result<std::int64_t> Database::number(const char* statement) {
  auto prepared = prepare(statement);
  if (!prepared) return fail(std::move(prepared.error()));
  auto row = prepared->step();
  if (!row) return fail(std::move(row.error()));
  return *row ? prepared->number(0) : 0;
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_);
}

Result<void> Database::checkpoint(Checkpoint kind) {
  const int mode =
      kind == Checkpoint::kTruncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  errno = 0;
  const int code = sqlite3_wal_checkpoint_v2(handle_, nullptr, mode, nullptr, nullptr);
  if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY) {
    if (code == SQLITE_OK && kind == Checkpoint::kTruncate) wal_pages_ = 0;
    return {};
  }
  return fail(last_error());
}

Result<void> Database::finish() {
  TRIBUTARY_TRY(use_wal());
  return checkpoint(Checkpoint::kTruncate);
}

Error Database::last_error() {
  Error error = describe_failure(errno);
  if (!failure_) failure_ = error;
  return error;
}

Error Database::describe_failure(int from_system) {
  if (handle_ == nullptr)
    return {ErrorClass::kInternal, "spool_failed", "The spool cannot be opened: out of memory."};
  const int extended = sqlite3_extended_errcode(handle_);
  const int code = extended & 0xff;
  const int noted = sqlite3_system_errno(handle_);
  const int system_error = noted != 0 ? noted : from_system;
  const bool flush = extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC;
  // A flush that finds no room is a failed flush first of all: nothing can be trusted after it.
  const bool io_error = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
  if (code == SQLITE_FULL || (io_error && !flush && is_out_of_space(system_error)))
    return from_errno(ENOSPC, "The spool cannot grow");
  std::string reason = sqlite3_errmsg(handle_);
  // Its own statements are right: what SQLite finds wrong with them, the file is to blame for.
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR ||
      code == SQLITE_READONLY || code == SQLITE_MISMATCH || code == SQLITE_CONSTRAINT) {
    return {ErrorClass::kInternal, kDamaged, fmt::format("The spool is damaged ({}).", reason)};
  }
  if (io_error && system_error != 0) reason += fmt::format(", {}", std::strerror(system_error));
  return {ErrorClass::kInternal, "spool_failed",
          fmt::format("The disk refused to store or to read the spool ({}).", reason),
          "Check the disk of the data directory; the server goes on by itself when it works."};
}

Result<void> create_tables(Database& database) {
  for (const std::string_view table : kTables)
    TRIBUTARY_TRY(database.run(std::string(table).c_str()));
  return {};
}

Result<void> check_tables(Database& database) {
  auto schema = database.prepare("select sql from sqlite_schema order by rootpage");
  if (!schema) return fail(std::move(schema.error()));
  std::size_t known = 0;
  for (;;) {
    auto row = schema->step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) break;
    if (known == kTables.size() || schema->bytes(0) != kTables[known++])
      return fail(ErrorClass::kInternal, kDamaged, "The tables of the spool are not its own.");
  }
  if (known != kTables.size())
    return fail(ErrorClass::kInternal, kDamaged, "Tables of the spool are missing.");
  return {};
}

}  // namespace tributary::spool
