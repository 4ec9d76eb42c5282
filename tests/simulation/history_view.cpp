#include "tests/simulation/history_view.hpp"

#include <sqlite3.h>

#include <stdexcept>

namespace tributary::simulation {

namespace {

std::string text(sqlite3_stmt* statement, int column) {
  const auto* found = sqlite3_column_text(statement, column);
  return found == nullptr ? std::string() : reinterpret_cast<const char*>(found);
}

}  // namespace

HistoryView::HistoryView(const std::string& uri) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI;
  const bool opened =
      sqlite3_open_v2(uri.c_str(), &database_, flags, nullptr) == SQLITE_OK &&
      sqlite3_exec(database_, "pragma query_only = on", nullptr, nullptr, nullptr) == SQLITE_OK &&
      sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(database_,
                         "select rowid, connection_id, seq, epoch, from_status, to_status, "
                         "cause_class, cause_code, note, monotonic_ns, boot_id from history "
                         "where rowid > ?1 order by rowid",
                         -1, &rows_, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(database_, "select version from connections where id = ?1", -1, &version_,
                         nullptr) == SQLITE_OK;
  if (!opened) throw std::runtime_error(sqlite3_errmsg(database_));
}

HistoryView::~HistoryView() {
  sqlite3_finalize(rows_);
  sqlite3_finalize(version_);
  sqlite3_close(database_);
}

std::vector<Row> HistoryView::fresh() {
  std::vector<Row> found;
  sqlite3_bind_int64(rows_, 1, last_);
  while (sqlite3_step(rows_) == SQLITE_ROW) {
    last_ = sqlite3_column_int64(rows_, 0);
    found.push_back({text(rows_, 1), sqlite3_column_int64(rows_, 2), sqlite3_column_int64(rows_, 3),
                     text(rows_, 4), text(rows_, 5), text(rows_, 6), text(rows_, 7), text(rows_, 8),
                     sqlite3_column_int64(rows_, 9), text(rows_, 10)});
  }
  sqlite3_reset(rows_);
  return found;
}

std::int64_t HistoryView::version_of(const std::string& id) {
  sqlite3_bind_text(version_, 1, id.data(), static_cast<int>(id.size()), SQLITE_TRANSIENT);
  const std::int64_t version =
      sqlite3_step(version_) == SQLITE_ROW ? sqlite3_column_int64(version_, 0) : 0;
  sqlite3_reset(version_);
  return version;
}

}  // namespace tributary::simulation
