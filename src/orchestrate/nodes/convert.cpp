// convert: units and types of fields.
#include <date/tz.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include "orchestrate/formats/units.hpp"
#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Convert",
  "description": "Converts fields between units of measurement and between types.",
  "type": "object",
  "required": ["fields"],
  "properties": {
    "fields": {"type": "array", "title": "Fields", "description": "What to convert. A field that is missing or null stays as it is.", "minItems": 1, "maxItems": 500, "x-widget": "points", "items": {
      "type": "object",
      "required": ["field"],
      "properties": {
        "field": {"type": "string", "title": "Field", "description": "A dot goes one level down.", "minLength": 1, "maxLength": 256},
        "into": {"type": "string", "title": "Into", "description": "Field that takes the result; the same when it is not given.", "minLength": 1, "maxLength": 256},
        "fromUnit": {"type": "string", "title": "Unit", "description": "The value has: °C, bar, l/min …", "minLength": 1, "maxLength": 16},
        "toUnit": {"type": "string", "title": "New unit", "description": "Of the same dimension.", "minLength": 1, "maxLength": 16},
        "type": {"type": "string", "title": "Type", "description": "What the value becomes, behind the unit.", "enum": ["number", "integer", "boolean", "text", "date"], "x-enumTitles": {"number": "Number", "integer": "Whole number", "boolean": "True or false", "text": "Text", "date": "Date and time"}},
        "minimum": {"type": "number", "title": "Smallest", "description": "A number below it is not valid."},
        "maximum": {"type": "number", "title": "Largest", "description": "A number above it is not valid."},
        "rounding": {"type": "string", "title": "Rounding", "description": "Of a whole number. None: a number with a fraction is not valid.", "enum": ["nearest", "down", "up", "none"], "default": "nearest", "x-enumTitles": {"nearest": "Nearest, halves away from 0", "down": "Down", "up": "Up", "none": "None"}, "x-showWhen": {"property": "type", "in": ["integer"]}},
        "decimals": {"type": "integer", "title": "Decimals", "description": "A number is rounded to so many.", "minimum": 0, "maximum": 15},
        "dateFormat": {"type": "string", "title": "Format", "description": "Of the text: iso8601, epoch seconds, milliseconds, microseconds or nanoseconds, or a pattern such as %d.%m.%Y %H:%M:%S.", "minLength": 1, "maxLength": 64, "default": "iso8601", "x-showWhen": {"property": "type", "in": ["date"]}},
        "zone": {"type": "string", "title": "Time zone", "description": "Of a text without one: an IANA name.", "minLength": 1, "maxLength": 64, "default": "UTC", "x-showWhen": {"property": "type", "in": ["date"]}},
        "dateOutput": {"type": "string", "title": "Result", "description": "Text such as 2026-11-22T10:00:00.000Z, or milliseconds since 1970.", "enum": ["text", "milliseconds"], "default": "text", "x-enumTitles": {"text": "Text", "milliseconds": "Milliseconds"}, "x-showWhen": {"property": "type", "in": ["date"]}},
        "onInvalid": {"type": "string", "title": "Not valid", "description": "Error: the record fails. Null: the field becomes null. Keep: it stays as it is.", "enum": ["error", "null", "keep"], "default": "error", "x-enumTitles": {"error": "Error", "null": "Null", "keep": "Keep"}}
      }
    }}
  }
})";

using formats::Unit;

enum class Type : std::uint8_t { kSame, kNumber, kInteger, kBoolean, kText, kDate };
enum class Rounding : std::uint8_t { kNearest, kDown, kUp, kNone };
enum class OnInvalid : std::uint8_t { kError, kNull, kKeep };

std::unexpected<Error> not_valid(const Json& value, std::string_view why) {
  return fail(ErrorClass::kFunction, "not_convertible",
              fmt::format("{} {}.", to_text(value).substr(0, 64), why));
}

bool is_plain_number(const Json& json) {
  return json.is_double() || json.type() == jsoncons::json_type::int64_value ||
         json.type() == jsoncons::json_type::uint64_value;
}

// Digits with nothing around them but white space: not "", "0x1" or "12 bottles".
Result<Json> number_of(const Json& value) {
  if (is_plain_number(value)) {
    const bool finite = !value.is_double() || std::isfinite(value.as_double());
    return finite ? Result<Json>(value) : not_valid(value, "is not a finite number");
  }
  if (value.is_bool()) return Json(value.as_bool() ? 1 : 0);
  if (!value.is_string()) return not_valid(value, "is not a number");
  std::string_view text = value.as_string_view();
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return not_valid(value, "is not a number");
  text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  std::int64_t whole = 0;
  auto read = std::from_chars(text.data(), end, whole);
  if (read.ec == std::errc{} && read.ptr == end) return Json(whole);
  std::uint64_t natural = 0;
  read = std::from_chars(text.data(), end, natural);
  if (read.ec == std::errc{} && read.ptr == end) return Json(natural);
  double real = 0;
  const auto number = std::from_chars(text.data(), end, real);
  if (number.ec != std::errc{} || number.ptr != end || !std::isfinite(real)) {
    return not_valid(value, "is not a number");
  }
  return Json(real);
}

struct Field {
  FieldPath path;
  FieldPath into;
  const Unit* from = nullptr;
  const Unit* to = nullptr;
  Type type = Type::kSame;
  std::optional<double> minimum;
  std::optional<double> maximum;
  Rounding rounding = Rounding::kNearest;
  std::optional<int> decimals;
  std::string date_format;
  const date::time_zone* zone = nullptr;
  bool as_milliseconds = false;
  OnInvalid on_invalid = OnInvalid::kError;
};

Result<Json> to_integer(const Json& number, Rounding rounding) {
  if (!number.is_double()) return number;
  const double value = number.as_double();
  double whole = std::round(value);
  if (rounding == Rounding::kDown) whole = std::floor(value);
  if (rounding == Rounding::kUp) whole = std::ceil(value);
  if (rounding == Rounding::kNone && whole != value) return not_valid(number, "has a fraction");
  constexpr double kLowest = -9223372036854775808.0;  // -2^63
  constexpr double kBehind = 18446744073709551616.0;  // 2^64
  if (whole < kLowest || whole >= kBehind) {
    return not_valid(number, "does not fit into 64 bits");
  }
  if (whole < -kLowest) return Json(static_cast<std::int64_t>(whole));
  return Json(static_cast<std::uint64_t>(whole));
}

Result<Json> to_boolean(const Json& value) {
  if (value.is_bool()) return value;
  if (is_plain_number(value)) {
    if (value.as_double() == 0) return Json(false);
    if (value.as_double() == 1) return Json(true);
  } else if (value.is_string()) {
    std::string text = value.as_string();
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (const std::string_view yes : {"true", "1", "yes", "on"}) {
      if (text == yes) return Json(true);
    }
    for (const std::string_view no : {"false", "0", "no", "off"}) {
      if (text == no) return Json(false);
    }
  }
  return not_valid(value, "is neither true nor false");
}

// Microseconds in one unit of an epoch format, negative for nanoseconds; 0 for other formats.
std::int64_t epoch_unit(const std::string& format) {
  if (format == "seconds") return 1'000'000;
  if (format == "milliseconds") return 1000;
  if (format == "microseconds") return 1;
  return format == "nanoseconds" ? -1000 : 0;
}

Result<UtcTime> from_epoch(const Json& value, std::int64_t unit) {
  auto number = number_of(value);
  if (!number) return fail(std::move(number.error()));
  const long double count = number->is_double() ? static_cast<long double>(number->as_double())
                            : number->is_int64()
                                ? static_cast<long double>(number->as<std::int64_t>())
                                : static_cast<long double>(number->as<std::uint64_t>());
  const long double micros = unit > 0 ? count * unit : count / -unit;
  constexpr long double kYear9999 = 253402300800e6L;
  if (std::abs(micros) >= kYear9999) return not_valid(value, "is not within the years 0 to 9999");
  return from_micros(static_cast<std::int64_t>(std::floor(micros)));
}

Result<UtcTime> from_pattern(const Json& value, const Field& field) {
  if (!value.is_string()) return not_valid(value, "is not a text");
  std::istringstream text(value.as_string());
  date::local_time<std::chrono::microseconds> local;
  std::chrono::minutes offset{};
  std::string abbreviation;
  text >> date::parse(field.date_format, local, abbreviation, offset);
  if (text.fail()) {
    return not_valid(value, fmt::format("does not look like {}", field.date_format));
  }
  text >> std::ws;
  if (!text.eof()) return not_valid(value, "goes on behind the date");
  const bool has_offset = field.date_format.find("%z") != std::string::npos ||
                          field.date_format.find("%Ez") != std::string::npos;
  if (has_offset) {
    return UtcTime(
        std::chrono::duration_cast<std::chrono::microseconds>(local.time_since_epoch() - offset));
  }
  const date::local_info info = field.zone->get_info(local);
  if (info.result == date::local_info::nonexistent) {
    return not_valid(
        value, fmt::format("does not exist in {}: clocks were set forward", field.zone->name()));
  }
  // Of two times in autumn the first, which is still summer time.
  return UtcTime(std::chrono::duration_cast<std::chrono::microseconds>(local.time_since_epoch() -
                                                                       info.first.offset));
}

Result<Json> to_date(const Json& value, const Field& field) {
  Result<UtcTime> time = UtcTime{};
  if (const std::int64_t unit = epoch_unit(field.date_format); unit != 0) {
    time = from_epoch(value, unit);
  } else if (field.date_format != "iso8601") {
    time = from_pattern(value, field);
  } else if (value.is_string()) {
    time = parse_utc(value.as_string_view());
    if (!time) time = not_valid(value, "is not a time such as 2026-11-22T10:00:00Z");
  } else {
    time = not_valid(value, "is not a text");
  }
  if (!time) return fail(std::move(time.error()));
  if (field.as_milliseconds) {
    return Json(std::chrono::floor<std::chrono::milliseconds>(*time).time_since_epoch().count());
  }
  return Json(format_utc(*time));
}

Result<Json> convert(Json value, const Field& field) {
  const bool numeric = field.from != nullptr || field.minimum || field.maximum || field.decimals ||
                       field.type == Type::kNumber || field.type == Type::kInteger;
  if (numeric) {
    auto number = number_of(value);
    if (!number) return number;
    value = std::move(*number);
    if (field.from != nullptr && field.from != field.to) {
      value = Json(formats::convert(value.as_double(), *field.from, *field.to));
    }
    if (field.decimals && value.is_double()) {
      const double scale = std::pow(10.0, *field.decimals);
      const double rounded = std::round(value.as_double() * scale) / scale;
      if (std::isfinite(rounded)) value = Json(rounded);
    }
    if (field.type == Type::kInteger) {
      auto whole = to_integer(value, field.rounding);
      if (!whole) return whole;
      value = std::move(*whole);
    }
    if (field.minimum && value.as_double() < *field.minimum) {
      return not_valid(value, fmt::format("is below {}", *field.minimum));
    }
    if (field.maximum && value.as_double() > *field.maximum) {
      return not_valid(value, fmt::format("is above {}", *field.maximum));
    }
  }
  if (field.type == Type::kBoolean) return to_boolean(value);
  if (field.type == Type::kText) return value.is_string() ? value : Json(to_text(value));
  if (field.type == Type::kDate) return to_date(value, field);
  return value;
}

class ConvertLogic final : public NodeLogic {
 public:
  std::vector<Field> fields;

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) {
      auto converted = convert_all(item.record);
      if (!converted) {
        run.fail(std::move(item), std::move(converted.error()));
        continue;
      }
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if ((*converted)[i]) assign(item.record, fields[i].into, std::move((*converted)[i]));
      }
      run.pass(0, std::move(item));
    }
    co_return;
  }

 private:
  // Of every field what it becomes; nullopt where nothing changes. A record that fails stays whole.
  Result<std::vector<std::optional<Json>>> convert_all(const Json& record) const {
    std::vector<std::optional<Json>> converted;
    for (const Field& field : fields) {
      const Json* value = find_path(record, field.path);
      if (value == nullptr || value->is_null()) {
        converted.emplace_back();
        continue;
      }
      auto result = convert(*value, field);
      if (result) {
        converted.emplace_back(std::move(*result));
      } else if (field.on_invalid == OnInvalid::kError) {
        Error error = std::move(result.error());
        error.message = fmt::format("Field '{}': {}", fmt::join(field.path, "."), error.message);
        return tributary::fail(std::move(error));
      } else if (field.on_invalid == OnInvalid::kNull) {
        converted.emplace_back(Json::null());
      } else {
        converted.emplace_back();
      }
    }
    return converted;
  }
};

Type type_of(const std::string& text) {
  if (text == "number") return Type::kNumber;
  if (text == "integer") return Type::kInteger;
  if (text == "boolean") return Type::kBoolean;
  if (text == "text") return Type::kText;
  return text == "date" ? Type::kDate : Type::kSame;
}

Rounding rounding_of(const std::string& text) {
  if (text == "down") return Rounding::kDown;
  if (text == "up") return Rounding::kUp;
  return text == "none" ? Rounding::kNone : Rounding::kNearest;
}

const Unit* read_unit(NodeBuild& build, const Json& field, const std::string& below,
                      std::string_view member) {
  if (!field.contains(member)) return nullptr;
  const std::string name = get_string(field, member);
  const Unit* unit = formats::find_unit(name);
  if (unit == nullptr) {
    build.error(fmt::format("{}/{}", below, member), "unknown_unit",
                fmt::format("There is no unit '{}'.", name));
  }
  return unit;
}

void read_units(NodeBuild& build, const Json& given, const std::string& below, Field& field) {
  if (given.contains("fromUnit") != given.contains("toUnit")) {
    build.error(below + (given.contains("fromUnit") ? "/toUnit" : "/fromUnit"), "required",
                "A unit is converted from one to another: both are needed.");
  }
  field.from = read_unit(build, given, below, "fromUnit");
  field.to = read_unit(build, given, below, "toUnit");
  if (field.from == nullptr || field.to == nullptr) return;
  if (field.from->dimension == field.to->dimension) return;
  build.error(below + "/toUnit", "wrong_dimension",
              fmt::format("'{}' is a unit of {}, '{}' one of {}: there are {}.", field.to->name,
                          field.to->dimension, field.from->name, field.from->dimension,
                          formats::units_of(field.from->dimension)));
}

const date::time_zone* read_zone(NodeBuild& build, const std::string& name,
                                 const std::string& below) {
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    build.error(
        below + "/zone", "unknown_zone",
        fmt::format("There is no time zone '{}'; they are named like Europe/Istanbul.", name));
    return nullptr;
  }
}

void read_date(NodeBuild& build, const Json& given, const std::string& below, Field& field) {
  field.date_format = get_string(given, "dateFormat", "iso8601");
  field.zone = read_zone(build, get_string(given, "zone", "UTC"), below);
  field.as_milliseconds = get_string(given, "dateOutput") == "milliseconds";
  const bool named = field.date_format == "iso8601" || epoch_unit(field.date_format) != 0;
  if (!named && field.date_format.find('%') == std::string::npos) {
    build.error(below + "/dateFormat", "invalid",
                "A pattern has parts such as %Y; the named formats are iso8601, seconds, "
                "milliseconds, microseconds and nanoseconds.");
  }
}

Field read_field(NodeBuild& build, const Json& given, const std::string& below) {
  Field field;
  field.path = read_path(build, below + "/field", get_string(given, "field"));
  field.into = given.contains("into") ? read_path(build, below + "/into", get_string(given, "into"))
                                      : field.path;
  read_units(build, given, below, field);
  field.type = type_of(get_string(given, "type"));
  if (given.contains("minimum")) field.minimum = get_double(given, "minimum", 0);
  if (given.contains("maximum")) field.maximum = get_double(given, "maximum", 0);
  if (given.contains("decimals")) field.decimals = static_cast<int>(get_int(given, "decimals", 0));
  field.rounding = rounding_of(get_string(given, "rounding"));
  const std::string invalid = get_string(given, "onInvalid");
  if (invalid == "null") field.on_invalid = OnInvalid::kNull;
  if (invalid == "keep") field.on_invalid = OnInvalid::kKeep;
  if (field.type == Type::kDate) read_date(build, given, below, field);
  if (field.minimum && field.maximum && *field.minimum > *field.maximum) {
    build.error(below + "/maximum", "out_of_range", "The largest value is below the smallest.");
  }
  const bool changes = field.type != Type::kSame || field.from != nullptr || field.minimum ||
                       field.maximum || field.decimals;
  if (!changes && !given.contains("fromUnit") && !given.contains("toUnit")) {
    build.error(below, "required", "Nothing is said about what becomes of the field.");
  }
  return field;
}

std::unique_ptr<NodeLogic> build_convert(NodeBuild& build) {
  auto logic = std::make_unique<ConvertLogic>();
  const Json& list = build.settings.at("fields");
  for (std::size_t i = 0; i < list.size(); ++i) {
    logic->fields.push_back(read_field(build, list[i], fmt::format("/settings/fields/{}", i)));
  }
  return logic;
}

}  // namespace

NodeType convert_type() {
  return {"convert", false, kSchema, {"out"}, &build_convert};
}

}  // namespace tributary::orchestrate
