// A file's records, while its bytes come piece by piece: what stands before is not kept. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/file/src/csv.hpp"
#include "connectors/file/src/operation.hpp"

namespace tributary::connectors::file {

struct FileRecord {
  Json value;                        // of a line that is no record: its text, or null
  std::optional<std::string> error;  // why it is none
  std::size_t number = 0;            // in the file, from 1
  std::size_t bytes = 0;
};

class RecordReader {
 public:
  // False: enough. What is left of the piece is not looked at.
  using Take = std::function<bool(FileRecord)>;

  // Leaves `skip` records out in front, and does not look what they hold.
  RecordReader(Format format, char delimiter, bool numbers, std::size_t skip = 0)
      : format_(format), numbers_(numbers), skip_(skip), csv_(delimiter) {}

  void feed(std::string_view piece, const Take& take);
  // What stands at the end without a line break: a record when it is whole. Else it is left out,
  // because it is still being written; of a file that is `complete` it is an error.
  void finish(bool complete, const Take& take);
  // Records so far, with those that were left out.
  std::size_t seen() const { return seen_; }
  // A line that is longer than kMaxLineBytes: nothing more can be told of this file.
  bool overlong() const;

 private:
  bool add_json(std::string line, const Take& take);
  bool add_csv(const CsvLine& line, const Take& take);

  Format format_;
  bool numbers_;
  std::size_t skip_;
  CsvReader csv_;
  std::vector<std::string> names_;
  std::string line_;
  std::size_t seen_ = 0;
  bool first_ = true;
};

}  // namespace tributary::connectors::file
