#include "store/query.hpp"

#include <soci/soci.h>
#include <stdexcept>

#include "store/sqlite.hpp"

namespace tributary::store {

namespace {

class BadDocument : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Binds the values and prepares. `indicators` must live as long as the statement is used.
void prepare(soci::statement& statement, const std::string& text, const std::vector<Bind>& binds,
             std::vector<soci::indicator>& indicators) {
  indicators.assign(binds.size(), soci::i_ok);
  for (std::size_t i = 0; i < binds.size(); ++i) {
    if (binds[i].is_null()) indicators[i] = soci::i_null;
    if (binds[i].is_text()) {
      statement.exchange(soci::use(binds[i].text(), indicators[i]));
    } else {
      statement.exchange(soci::use(binds[i].number(), indicators[i]));
    }
  }
  statement.alloc();
  statement.prepare(text);
  statement.define_and_bind();
}

}  // namespace

std::string Columns::text() {
  const std::size_t column = next_++;
  return row_.get_indicator(column) == soci::i_null ? std::string() : row_.get<std::string>(column);
}

std::int64_t Columns::number() {
  const std::size_t column = next_++;
  return row_.get_indicator(column) == soci::i_null ? 0 : row_.get<long long>(column);
}

std::optional<UtcTime> Columns::maybe_time() {
  if (row_.get_indicator(next_) != soci::i_null) return time();
  ++next_;
  return std::nullopt;
}

std::optional<bool> Columns::maybe_flag() {
  if (row_.get_indicator(next_) != soci::i_null) return flag();
  ++next_;
  return std::nullopt;
}

Json Columns::document() {
  auto parsed = parse_json(text());
  if (!parsed) throw BadDocument(parsed.error().message);
  return std::move(*parsed);
}

Result<std::int64_t> execute(soci::session& sql, const std::string& text,
                             const std::vector<Bind>& binds) {
  try {
    std::vector<soci::indicator> indicators;
    soci::statement statement(sql);
    prepare(statement, text, binds, indicators);
    statement.execute(true);
    return statement.get_affected_rows();
  } catch (const std::exception& exception) {
    return fail(sqlite::to_error(sql, exception));
  }
}

Result<void> for_each_row(soci::session& sql, const std::string& text,
                          const std::vector<Bind>& binds,
                          const std::function<void(Columns&)>& take) {
  try {
    std::vector<soci::indicator> indicators;
    soci::row row;
    soci::statement statement(sql);
    prepare(statement, text, binds, indicators);
    statement.exchange_for_rowset(soci::into(row));
    statement.execute(false);
    while (statement.fetch()) {
      Columns columns(row);
      take(columns);
    }
    return {};
  } catch (const BadDocument& exception) {
    return fail(ErrorClass::kInternal, "store_damaged",
                fmt::format("A document in the database is not JSON ({}).", exception.what()),
                "Restore the data directory from a backup.");
  } catch (const std::exception& exception) {
    return fail(sqlite::to_error(sql, exception));
  }
}

Result<std::optional<std::int64_t>> select_number(soci::session& sql, const std::string& text,
                                                  const std::vector<Bind>& binds) {
  try {
    std::vector<soci::indicator> indicators;
    long long number = 0;
    soci::indicator state = soci::i_ok;
    soci::statement statement(sql);
    statement.exchange(soci::into(number, state));
    prepare(statement, text, binds, indicators);
    if (!statement.execute(true) || state != soci::i_ok) return std::nullopt;
    return number;
  } catch (const std::exception& exception) {
    return fail(sqlite::to_error(sql, exception));
  }
}

Result<void> expect_one(Result<std::int64_t> changed, const std::string& message) {
  if (!changed) return fail(std::move(changed.error()));
  if (*changed == 0) return fail(ErrorClass::kFunction, "not_found", message);
  return {};
}

Result<void> check_version(Result<std::optional<std::int64_t>> stored, std::int64_t wanted,
                           const std::string& what) {
  if (!stored) return fail(std::move(stored.error()));
  if (!*stored)
    return fail(ErrorClass::kFunction, "not_found", fmt::format("This {} does not exist.", what));
  if (**stored + 1 == wanted) return {};
  return fail(ErrorClass::kFunction, "version_conflict",
              fmt::format("This {} was changed meanwhile: it is at version {}.", what, **stored),
              "Load it again and repeat the change.");
}

}  // namespace tributary::store
