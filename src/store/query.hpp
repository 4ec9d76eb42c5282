// Statements with bound values, for the repositories: the one place (with sqlite.cpp) that knows
// SOCI. Values are always bound, never pasted. Name each placeholder once per statement: SQLite and
// PostgreSQL number repeats differently.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/json.hpp"

namespace soci {
class row;
class session;
}  // namespace soci

namespace tributary::store {

// One value for one placeholder, in the order in which the placeholders stand in the statement.
class Bind {
 public:
  Bind(std::int64_t number) : number_(number) {}
  Bind(int number) : number_(number) {}
  Bind(std::size_t number) : number_(static_cast<long long>(number)) {}
  Bind(bool flag) : number_(flag ? 1 : 0) {}
  Bind(UtcTime time) : number_(to_micros(time)) {}
  Bind(const std::optional<UtcTime>& time) : number_(time ? to_micros(*time) : 0), null_(!time) {}
  Bind(const std::optional<bool>& flag) : number_(flag.value_or(false) ? 1 : 0), null_(!flag) {}
  Bind(std::string text) : text_(std::move(text)), is_text_(true) {}
  Bind(const char* text) : text_(text), is_text_(true) {}
  Bind(const Json& document) : text_(to_text(document)), is_text_(true) {}

  const std::string& text() const { return text_; }
  const long long& number() const { return number_; }
  bool is_text() const { return is_text_; }
  bool is_null() const { return null_; }

 private:
  std::string text_;
  long long number_ = 0;
  bool is_text_ = false;
  bool null_ = false;
};

// Reads one row from left to right. Columns are text or bigint, nothing else.
class Columns {
 public:
  explicit Columns(const soci::row& row) : row_(row) {}
  std::string text();
  std::int64_t number();
  bool flag() { return number() != 0; }
  std::optional<bool> maybe_flag();
  UtcTime time() { return from_micros(number()); }
  std::optional<UtcTime> maybe_time();
  // Throws BadDocument on text that is not JSON; for_each_row() turns it into "store_damaged".
  Json document();

 private:
  const soci::row& row_;
  std::size_t next_ = 0;
};

// Runs a statement; answers the number of rows it changed. Errors: kInternal "disk_full",
// "store_damaged", "store_failed".
Result<std::int64_t> execute(soci::session& sql, const std::string& statement,
                             const std::vector<Bind>& binds = {});

// Calls `take` for each row. Errors as execute().
Result<void> for_each_row(soci::session& sql, const std::string& statement,
                          const std::vector<Bind>& binds,
                          const std::function<void(Columns&)>& take);

// The first column of the first row; nullopt when there is no row or it is null.
Result<std::optional<std::int64_t>> select_number(soci::session& sql, const std::string& statement,
                                                  const std::vector<Bind>& binds = {});

template <typename T>
Result<std::vector<T>> select(soci::session& sql, const std::string& statement,
                              const std::vector<Bind>& binds, T (*read)(Columns&)) {
  std::vector<T> found;
  auto done = for_each_row(sql, statement, binds,
                           [&](Columns& columns) { found.push_back(read(columns)); });
  if (!done) return fail(std::move(done.error()));
  return found;
}

template <typename T>
Result<std::optional<T>> select_one(soci::session& sql, const std::string& statement,
                                    const std::vector<Bind>& binds, T (*read)(Columns&)) {
  auto found = select(sql, statement, binds, read);
  if (!found) return fail(std::move(found.error()));
  if (found->empty()) return std::nullopt;
  return std::optional<T>(std::move(found->front()));
}

// For statements that must change one row: "not_found" with `message` when they changed none.
Result<void> expect_one(Result<std::int64_t> changed, const std::string& message);
// For edits: `stored` is the version in the table (nullopt: "not_found"), `wanted` the one being
// written; anything but the next one is a "version_conflict". `what` names the thing in the
// sentence.
Result<void> check_version(Result<std::optional<std::int64_t>> stored, std::int64_t wanted,
                           const std::string& what);

}  // namespace tributary::store
