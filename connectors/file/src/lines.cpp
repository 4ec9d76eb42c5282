#include "connectors/file/src/lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tributary::connectors::file {
namespace {

// A field by its name, or step by step at the dots of it.
const Json& find_field(const Json& record, std::string_view name) {
  const Json* at = &record;
  while (true) {
    if (const Json& whole = get_member(*at, name); !whole.is_null()) return whole;
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return get_member(*at, name);
    at = &get_member(*at, name.substr(0, dot));
    name.remove_prefix(dot + 1);
  }
}

std::unexpected<Error> not_an_object(std::size_t index) {
  return fail(ErrorClass::kFunction, "not_an_object", "A record is not an object",
              "Give records as objects.", fmt::format("/parameters/records/{}", index));
}

std::vector<std::string> columns_of(const WriteOperation& operation, const Json& first) {
  if (!operation.columns.empty()) return operation.columns;
  std::vector<std::string> names;
  for (const auto& member : first.object_range()) {
    if (member.key() != "$meta") names.push_back(member.key());
  }
  return names;
}

Result<Lines> csv_lines(const WriteOperation& operation, std::span<const Json* const> records) {
  Lines lines;
  if (!records[0]->is_object()) return not_an_object(0);
  const std::vector<std::string> columns = columns_of(operation, *records[0]);
  lines.header = csv_header(columns, operation.delimiter, operation.neutralise);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Json& record = *records[i];
    if (!record.is_object()) return not_an_object(i);
    for (const auto& member : record.object_range()) {
      // Without a list of columns nothing is left out in silence.
      if (!operation.columns.empty() || member.key() == "$meta") continue;
      if (std::ranges::find(columns, member.key()) != columns.end()) continue;
      return fail(ErrorClass::kFunction, "unknown_field",
                  fmt::format("The field {} is none of the columns, which are those of the first "
                              "record",
                              member.key()),
                  "Name the function's columns.",
                  fmt::format("/parameters/records/{}/{}", i, escape_pointer(member.key())));
    }
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c > 0) lines.body += operation.delimiter;
      append_csv_cell(find_field(record, columns[c]), operation.delimiter, operation.neutralise,
                      lines.body);
    }
    lines.body += "\r\n";
  }
  return lines;
}

// The number that a text exactly is; null when it is none, or would come back as another text.
Json exact_number(std::string_view text) {
  std::int64_t whole = 0;
  const char* const end = text.data() + text.size();
  if (const auto [at, error] = std::from_chars(text.data(), end, whole);
      error == std::errc{} && at == end && fmt::format("{}", whole) == text)
    return Json(whole);
  double number = 0;
  if (const auto [at, error] = std::from_chars(text.data(), end, number);
      error == std::errc{} && at == end && fmt::format("{}", number) == text)
    return Json(number);
  return Json::null();
}

}  // namespace

Result<Lines> make_lines(const WriteOperation& operation, std::span<const Json* const> records) {
  Result<Lines> lines = Lines{};
  if (operation.format == Format::kCsv) {
    if (!records.empty()) lines = csv_lines(operation, records);
  } else {
    for (const Json* record : records) {
      lines->body += to_text(*record);
      lines->body += '\n';
    }
  }
  if (lines && lines->body.size() > kMaxBatchBytes) {
    return fail(ErrorClass::kFunction, "batch_too_large",
                fmt::format("The records have {} bytes; at most {} are written at once",
                            lines->body.size(), kMaxBatchBytes),
                "Write fewer records at once.");
  }
  return lines;
}

Json csv_record(const std::vector<std::string>& names, const CsvLine& line, bool numbers) {
  Json record = json_object();
  for (std::size_t i = 0; i < std::max(names.size(), line.size()); ++i) {
    const std::string name = i < names.size() ? names[i] : fmt::format("column{}", i + 1);
    if (i >= line.size() || (line[i].text.empty() && !line[i].quoted)) {
      record.insert_or_assign(name, Json::null());
      continue;
    }
    Json value = numbers && !line[i].quoted ? exact_number(line[i].text) : Json::null();
    if (numbers && !line[i].quoted && (line[i].text == "true" || line[i].text == "false"))
      value = Json(line[i].text == "true");
    record.insert_or_assign(name, value.is_null() ? Json(line[i].text) : std::move(value));
  }
  return record;
}

}  // namespace tributary::connectors::file
