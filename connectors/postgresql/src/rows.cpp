#include "connectors/postgresql/src/rows.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>

namespace tributary::connectors::postgresql {

// Two columns of one name both stay: the second is "name_2".
void Rows::read_columns(const pg_result* result) {
  for (int i = 0; i < PQnfields(result); ++i) {
    const std::string name = PQfname(result, i);
    std::string unique = name;
    for (int n = 2; std::ranges::find(columns_, unique, &Column::name) != columns_.end(); ++n)
      unique = fmt::format("{}_{}", name, n);
    columns_.push_back({unique, type_of(PQftype(result, i))});
  }
}

Record Rows::to_record(const pg_result* result, int row) const {
  Record record = json_object();
  record.reserve(columns_.size() + 1);
  Json notes = json_object();
  for (int i = 0; i < static_cast<int>(columns_.size()); ++i) {
    const Column& column = columns_[static_cast<std::size_t>(i)];
    if (PQgetisnull(result, row, i) != 0) {
      record.insert_or_assign(column.name, Json::null());
      continue;
    }
    const std::string_view text(PQgetvalue(result, row, i),
                                static_cast<std::size_t>(PQgetlength(result, row, i)));
    record.insert_or_assign(column.name, decode_value(text, column.type, options_));
    if (const auto raw = special_number(text, column.type)) {
      Json note = json_object();
      note.insert_or_assign("quality", "uncertain");
      note.insert_or_assign("raw", *raw);
      notes.insert_or_assign(column.name, std::move(note));
    }
  }
  if (!notes.empty()) {
    Json meta = json_object();
    meta.insert_or_assign("points", std::move(notes));
    record.insert_or_assign("$meta", std::move(meta));
  }
  return record;
}

void Rows::add(const pg_result* result) {
  if (columns_.empty()) read_columns(result);
  for (int row = 0; row < PQntuples(result); ++row) {
    ++count_;
    if (too_many() || too_large()) continue;
    for (int i = 0; i < PQnfields(result); ++i)
      bytes_ += static_cast<std::size_t>(PQgetlength(result, row, i));
    if (!too_large()) records_.push_back(to_record(result, row));
  }
}

}  // namespace tributary::connectors::postgresql
