// Lists of points as CSV, for spreadsheets: written from a function's settings, and read back into
// them. Works for every function whose schema has a list of points. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/json.hpp"

namespace tributary::field {

// The list of points of a function: where it stands in the settings and what one point is.
struct PointSchema {
  std::string member;  // "points"
  Json item;           // the schema of one point, references resolved
};
// The property marked "x-widget": "points". Error: kFunction "no_points" when there is none.
Result<PointSchema> find_points(const Json& function_schema);

// One thing that is wrong with a file. Lines and columns count from 1; column 0 is the whole line.
struct CsvProblem {
  std::size_t line = 0;
  std::size_t column = 0;
  std::string heading;  // of the column, when it is known
  std::string message;
};

struct PointImport {
  Json points = json_array();
  std::vector<std::size_t> lines;  // where each point stands
  std::vector<std::string> headings;
  std::vector<CsvProblem> problems;

  // Where a problem of the settings stands in the file: "/settings/points/3/address" is a line
  // and a column. Column 0 when the point is wrong as a whole; line 0 when it is about no point.
  CsvProblem locate(std::string_view member, std::string_view pointer, std::string message) const;
};

// Comma, CRLF, one column for each property in the order of the schema, quoted where RFC 4180 wants
// it. An empty cell is an absent property. A text that a spreadsheet would take for a formula gets
// an apostrophe in front.
std::string to_csv(const Json& points, const PointSchema& schema);
// Reads what to_csv wrote, and what spreadsheets make of it: a byte order mark, semicolons or tabs
// (then also decimal commas), columns in any order, missing columns, empty lines. Every problem is
// listed, up to 100: unknown or doubled columns, cells that are not of the property's type,
// missing required cells, quotes without an end. What the schema says about ranges and names is
// not checked here: the points are validated as any settings are.
PointImport from_csv(std::string_view text, const PointSchema& schema);

}  // namespace tributary::field
