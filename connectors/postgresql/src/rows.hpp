// Rows of the server become records.
#pragma once

#include <string>
#include <vector>

#include "connectors/postgresql/src/decode.hpp"
#include "model/batch.hpp"

struct pg_result;

namespace tributary::connectors::postgresql {

// What one result may take in memory, as the server wrote it.
constexpr std::size_t kMaxResultBytes = 64U << 20U;

class Rows {
 public:
  Rows(std::size_t most, DecodeOptions options) : most_(most), options_(options) {}
  // All rows of a result; those beyond the bounds are counted and left out.
  void add(const pg_result* result);

  std::vector<Record> take() { return std::move(records_); }
  std::size_t count() const { return count_; }  // also of those that were left out
  bool too_many() const { return count_ > most_; }
  bool too_large() const { return bytes_ > kMaxResultBytes; }

 private:
  struct Column {
    std::string name;
    Type type;
  };
  void read_columns(const pg_result* result);
  Record to_record(const pg_result* result, int row) const;

  std::size_t most_;
  DecodeOptions options_;
  std::vector<Column> columns_;
  std::vector<Record> records_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace tributary::connectors::postgresql
