#include "field/point_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "field/csv.hpp"

namespace tributary::field {
namespace {

constexpr std::size_t kMaxProblems = 100;

std::string type_of(const Json& schema) {
  return get_string(schema, "type");
}

// A spreadsheet would compute these; an apostrophe says that it is a text.
bool looks_like_formula(std::string_view text) {
  return !text.empty() &&
         std::string_view("=+-@\t\r'").find(text.front()) != std::string_view::npos;
}

std::string cell_of(const Json& value, const std::string& type) {
  if (value.is_null()) return {};
  if (!value.is_string()) return to_text(value);
  const auto text = value.as<std::string>();
  return type == "string" && looks_like_formula(text) ? "'" + text : text;
}

std::optional<Json> number_of(std::string cell, const std::string& type, bool decimal_comma) {
  if (decimal_comma) std::ranges::replace(cell, ',', '.');
  const char* end = cell.data() + cell.size();
  std::int64_t whole = 0;
  if (const auto got = std::from_chars(cell.data(), end, whole);
      got.ec == std::errc{} && got.ptr == end)
    return Json(whole);
  double number = 0;
  const auto got = std::from_chars(cell.data(), end, number);
  if (got.ec != std::errc{} || got.ptr != end || !std::isfinite(number)) return std::nullopt;
  if (type == "integer" && number != std::round(number)) return std::nullopt;
  return Json(number);
}

std::optional<Json> bool_of(std::string cell) {
  std::ranges::transform(cell, cell.begin(), [](unsigned char c) { return std::tolower(c); });
  if (cell == "true" || cell == "1" || cell == "yes") return Json(true);
  if (cell == "false" || cell == "0" || cell == "no") return Json(false);
  return std::nullopt;
}

// A cell that holds one whole placeholder stands for any type.
bool is_placeholder(std::string_view cell) {
  return cell.starts_with("((") && cell.ends_with("))");
}

std::string_view wanted(const std::string& type) {
  if (type == "integer") return "a whole number";
  if (type == "number") return "a number";
  if (type == "boolean") return "true or false";
  return "JSON";
}

std::optional<Json> value_of(const std::string& cell, const std::string& type, bool decimal_comma) {
  if (type == "string") {
    const bool guarded = cell.size() > 1 && cell[0] == '\'' && looks_like_formula(cell.substr(1));
    return Json(guarded ? cell.substr(1) : cell);
  }
  if (is_placeholder(cell)) return Json(cell);
  if (type == "integer" || type == "number") return number_of(cell, type, decimal_comma);
  if (type == "boolean") return bool_of(cell);
  auto parsed = parse_json(cell);
  if (!parsed) return std::nullopt;
  return *std::move(parsed);
}

// One file on its way into points.
class Reader {
 public:
  Reader(const PointSchema& schema, PointImport& into)
      : properties_(get_member(schema.item, "properties")),
        required_(get_member(schema.item, "required")),
        import_(into) {}

  void headings(const CsvRow& row) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const std::string& heading = row.cells[i];
      import_.headings.push_back(heading);
      if (heading.empty()) continue;  // a column of remarks without a heading
      if (!properties_.contains(heading)) {
        problem(row.line, i + 1, fmt::format("There is no property '{}'.", heading));
      } else if (std::ranges::count(import_.headings, heading) > 1) {
        problem(row.line, i + 1, fmt::format("The column '{}' stands here twice.", heading));
      }
    }
    if (!required_.is_array()) return;
    for (const Json& name : required_.array_range()) {
      if (std::ranges::find(import_.headings, name.as<std::string>()) == import_.headings.end())
        problem(row.line, 0, fmt::format("The column '{}' is missing.", name.as<std::string>()));
    }
  }

  void point(const CsvRow& row, bool decimal_comma) {
    const std::size_t count = import_.headings.size();
    const auto extra = std::ranges::find_if(
        row.cells.begin() + static_cast<std::ptrdiff_t>(std::min(count, row.cells.size())),
        row.cells.end(), [](const std::string& cell) { return !cell.empty(); });
    if (extra != row.cells.end()) {
      problem(row.line, count + 1, "There are more cells than the first line has columns.");
    }
    Json point = json_object();
    for (std::size_t i = 0; i < std::min(count, row.cells.size()); ++i) {
      const std::string& heading = import_.headings[i];
      const std::string& cell = row.cells[i];
      if (cell.empty() || heading.empty() || !properties_.contains(heading)) continue;
      const std::string type = type_of(properties_.at(heading));
      auto value = value_of(cell, type, decimal_comma);
      if (!value) {
        problem(row.line, i + 1, fmt::format("\"{}\" is not {}.", cell, wanted(type)));
        continue;
      }
      point.insert_or_assign(heading, *std::move(value));
    }
    require_cells(row, point);
    import_.points.push_back(in_order(point));
    import_.lines.push_back(row.line);
  }

  void problem(std::size_t line, std::size_t column, std::string message) {
    if (import_.problems.size() >= kMaxProblems) return;
    const bool known = column > 0 && column <= import_.headings.size();
    import_.problems.push_back(
        {line, column, known ? import_.headings[column - 1] : "", std::move(message)});
  }

 private:
  // Members as the schema lists them, whatever the order of the columns.
  Json in_order(const Json& point) const {
    Json ordered = json_object();
    for (const auto& property : properties_.object_range()) {
      if (point.contains(property.key()))
        ordered.insert_or_assign(property.key(), point.at(property.key()));
    }
    return ordered;
  }

  void require_cells(const CsvRow& row, const Json& point) {
    if (!required_.is_array()) return;
    for (const Json& entry : required_.array_range()) {
      const auto name = entry.as<std::string>();
      const auto column = std::ranges::find(import_.headings, name);
      if (point.contains(name) || column == import_.headings.end()) continue;
      const auto index = static_cast<std::size_t>(column - import_.headings.begin());
      if (index < row.cells.size() && !row.cells[index].empty()) continue;  // told already
      problem(row.line, index + 1, fmt::format("'{}' is required.", name));
    }
  }

  const Json& properties_;
  const Json& required_;
  PointImport& import_;
};

bool is_blank(const CsvRow& row) {
  return std::ranges::all_of(row.cells, [](const std::string& cell) { return cell.empty(); });
}

}  // namespace

Result<PointSchema> find_points(const Json& function_schema) {
  const Json& properties = get_member(function_schema, "properties");
  if (properties.is_object()) {
    for (const auto& property : properties.object_range()) {
      if (get_string(property.value(), "x-widget") != "points") continue;
      Json item = get_member(property.value(), "items");
      const std::string reference = get_string(item, "$ref");
      constexpr std::string_view kPrefix = "#/$defs/";
      if (reference.starts_with(kPrefix))
        item = get_member(get_member(function_schema, "$defs"), reference.substr(kPrefix.size()));
      return PointSchema{std::string(property.key()), std::move(item)};
    }
  }
  return fail(ErrorClass::kFunction, "no_points", "This function has no list of points.",
              "Lists of points are for functions of field devices: reads, writes, subscriptions.");
}

CsvProblem PointImport::locate(std::string_view member, std::string_view pointer,
                               std::string message) const {
  CsvProblem found{0, 0, "", std::move(message)};
  const std::string prefix = fmt::format("/settings/{}/", member);
  if (!pointer.starts_with(prefix)) return found;
  pointer.remove_prefix(prefix.size());
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(pointer.data(), pointer.data() + pointer.size(), index);
  if (error != std::errc{} || index >= lines.size()) return found;
  found.line = lines[index];
  pointer.remove_prefix(static_cast<std::size_t>(end - pointer.data()));
  if (!pointer.starts_with('/')) return found;
  found.heading = pointer.substr(1, pointer.find('/', 1) - 1);
  const auto column = std::ranges::find(headings, found.heading);
  if (column != headings.end())
    found.column = static_cast<std::size_t>(column - headings.begin()) + 1;
  return found;
}

std::string to_csv(const Json& points, const PointSchema& schema) {
  std::string out;
  std::vector<std::string> row;
  const Json& properties = get_member(schema.item, "properties");
  if (!properties.is_object() || !points.is_array()) return out;
  for (const auto& property : properties.object_range()) row.emplace_back(property.key());
  append_csv_row(out, row);
  for (const Json& point : points.array_range()) {
    row.clear();
    for (const auto& property : properties.object_range())
      row.push_back(cell_of(get_member(point, property.key()), type_of(property.value())));
    append_csv_row(out, row);
  }
  return out;
}

PointImport from_csv(std::string_view text, const PointSchema& schema) {
  PointImport import;
  Reader reader(schema, import);
  CsvReader rows(text);
  CsvRow row;
  while (rows.next(row) && is_blank(row)) {
  }
  if (is_blank(row)) {
    reader.problem(1, 0, "The file is empty: the first line names the columns.");
    return import;
  }
  reader.headings(row);
  const bool decimal_comma = rows.separator() != ',';
  while (import.problems.size() < kMaxProblems && rows.next(row)) {
    if (!is_blank(row)) reader.point(row, decimal_comma);
  }
  if (rows.unfinished_quote() > 0)
    reader.problem(rows.unfinished_quote(), 0, "A quote that begins on this line has no end.");
  return import;
}

}  // namespace tributary::field
