// Records as the bytes of a file, and back. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "connectors/file/src/csv.hpp"
#include "connectors/file/src/operation.hpp"

namespace tributary::connectors::file {

// What is written at once, and the longest line that is read.
constexpr std::size_t kMaxBatchBytes = 64U << 20U;
constexpr std::size_t kMaxLineBytes = 16U << 20U;

struct Lines {
  std::string header;  // CSV only
  std::string body;
};

// Errors: kFunction "not_an_object", "unknown_field" (a CSV field that is no column; pointer
// "/parameters/records/3/field"), "batch_too_large".
Result<Lines> make_lines(const WriteOperation& operation, std::span<const Json* const> records);

// One line of a CSV file as a record. Empty cells without quotes are null.
Json csv_record(const std::vector<std::string>& names, const CsvLine& line, bool numbers);

}  // namespace tributary::connectors::file
