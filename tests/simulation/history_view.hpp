// Reads the rows of history from the disk with a connection of its own: what is there, whatever the
// hub says.
#pragma once

#include <string>
#include <vector>

#include "tests/simulation/oracle.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace tributary::simulation {

class HistoryView {
 public:
  explicit HistoryView(const std::string& uri);
  ~HistoryView();
  HistoryView(const HistoryView&) = delete;
  HistoryView& operator=(const HistoryView&) = delete;

  // Committed since the last call, in the order of their commits.
  std::vector<Row> fresh();
  // From the first row on.
  void rewind() { last_ = 0; }
  // The version of a connection; 0 when there is none.
  std::int64_t version_of(const std::string& id);

 private:
  sqlite3* database_ = nullptr;
  sqlite3_stmt* rows_ = nullptr;
  sqlite3_stmt* version_ = nullptr;
  std::int64_t last_ = 0;
};

}  // namespace tributary::simulation
