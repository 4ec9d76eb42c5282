#include "orchestrate/formats/encoders.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace tributary::orchestrate::formats {
namespace {

std::string text_of(const Json& value) {
  return value.is_string() ? value.as_string() : to_text(value);
}

std::unexpected<Error> not_encodable(std::string_view what, std::string_view text,
                                     std::string_view why) {
  return fail(ErrorClass::kFunction, "not_encodable",
              fmt::format("The {} '{}' cannot be written in line protocol: {}.", what,
                          text.substr(0, 64), why));
}

// Escapes names and tags. A backslash is itself unless something that is escaped follows it:
// readers disagree about that case, so it is refused.
Result<std::string> escaped(std::string_view what, std::string_view text,
                            std::string_view special) {
  if (text.empty()) return not_encodable(what, text, "it is empty");
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
      return not_encodable(what, text, "it holds a control character");
    }
    const bool last = i + 1 == text.size();
    if (c == '\\' &&
        (last || text[i + 1] == '\\' || special.find(text[i + 1]) != std::string_view::npos)) {
      return not_encodable(what, text, "a backslash stands where it would escape something");
    }
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::optional<std::string> field_value(const Json& value) {
  switch (value.type()) {
    case jsoncons::json_type::null_value:
      return std::nullopt;
    case jsoncons::json_type::bool_value:
      return value.as_bool() ? "true" : "false";
    case jsoncons::json_type::int64_value:
      return fmt::format("{}i", value.as<std::int64_t>());
    case jsoncons::json_type::uint64_value:
      return value.is_int64() ? fmt::format("{}i", value.as<std::int64_t>())
                              : fmt::format("{}u", value.as<std::uint64_t>());
    case jsoncons::json_type::half_value:
    case jsoncons::json_type::double_value:
      // The protocol has no NaN and no infinity.
      if (!std::isfinite(value.as_double())) return std::nullopt;
      return fmt::format("{}", value.as_double());
    default:
      break;
  }
  std::string out = "\"";
  for (const char c : text_of(value)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::int64_t in_precision(UtcTime time, Precision precision) {
  const std::int64_t micros = to_micros(time);
  switch (precision) {
    case Precision::kNanoseconds:
      return micros * 1000;
    case Precision::kMicroseconds:
      return micros;
    case Precision::kMilliseconds:
      return micros / 1000;
    default:
      return micros / 1'000'000;
  }
}

bool looks_typed(std::string_view text) {
  if (text == "true" || text == "false") return true;
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

std::string_view metric_type(const Json& value) {
  if (value.is_bool()) return "Boolean";
  if (value.is_int64()) return "Int64";
  if (value.is_uint64()) return "UInt64";
  if (value.is_double()) return "Double";
  return "String";
}

}  // namespace

std::string csv_line(const std::vector<Json>& cells, char delimiter) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += delimiter;
    if (cells[i].is_null()) continue;
    const std::string text = text_of(cells[i]);
    // A byte order mark at the start of a text would be taken for none of it.
    const bool edge = !text.empty() && (text.front() == ' ' || text.back() == ' ' ||
                                        text.starts_with("\xEF\xBB\xBF"));
    const bool quoted = text.empty() || edge || text.find_first_of("\"\r\n") != std::string::npos ||
                        text.find(delimiter) != std::string::npos;
    // A text that looks like a number or a truth value stays text.
    const bool looks_different = cells[i].is_string() && looks_typed(text);
    if (!quoted && !looks_different) {
      line += text;
      continue;
    }
    line += '"';
    for (const char c : text) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }
  return line;
}

Result<std::string> line_protocol(std::string_view measurement, const NamedValues& tags,
                                  const NamedValues& fields, std::optional<UtcTime> time,
                                  Precision precision) {
  if (measurement.starts_with('#')) {
    return not_encodable("measurement", measurement, "it would begin a comment");
  }
  auto line = escaped("measurement", measurement, ", ");
  if (!line) return line;
  for (const auto& [name, value] : tags) {
    if (value.is_null()) continue;
    auto key = escaped("tag", name, ",= ");
    if (!key) return key;
    auto text = escaped("tag", text_of(value), ",= ");
    if (!text) return text;
    *line += fmt::format(",{}={}", *key, *text);
  }
  char separator = ' ';
  for (const auto& [name, value] : fields) {
    const auto text = field_value(value);
    if (!text) continue;
    auto key = escaped("field", name, ",= ");
    if (!key) return key;
    *line += fmt::format("{}{}={}", separator, *key, *text);
    separator = ',';
  }
  if (separator == ' ') {
    return fail(ErrorClass::kFunction, "no_fields",
                "A line needs at least one field with a value.");
  }
  if (time) *line += fmt::format(" {}", in_precision(*time, precision));
  return line;
}

Json metric_list(const NamedValues& fields, UtcTime time, const Json& points) {
  constexpr std::int64_t kUncertain = 64;
  const std::int64_t timestamp = to_micros(time) / 1000;
  Json metrics = json_array();
  for (const auto& [name, value] : fields) {
    Json metric = json_object();
    metric.insert_or_assign("name", name);
    metric.insert_or_assign("timestamp", timestamp);
    metric.insert_or_assign("dataType", metric_type(value));
    const bool structured = value.is_array() || value.is_object();
    if (value.is_null()) {
      metric.insert_or_assign("isNull", true);
    } else {
      metric.insert_or_assign("value", structured ? Json(to_text(value)) : value);
    }
    const std::string quality = get_string(get_member(points, name), "quality");
    if (!quality.empty()) {
      Json entry = json_object();
      entry.insert_or_assign("type", "Int32");
      entry.insert_or_assign("value", quality == "uncertain" ? kUncertain : std::int64_t{0});
      Json properties = json_object();
      properties.insert_or_assign("Quality", std::move(entry));
      metric.insert_or_assign("properties", std::move(properties));
    }
    metrics.push_back(std::move(metric));
  }
  Json list = json_object();
  list.insert_or_assign("timestamp", timestamp);
  list.insert_or_assign("metrics", std::move(metrics));
  return list;
}

}  // namespace tributary::orchestrate::formats
