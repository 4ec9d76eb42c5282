// parse: reads JSON, CSV, XML or a binary structure out of a field.
#include <fmt/format.h>

#include <set>

#include "orchestrate/formats/decoders.hpp"
#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Parse",
  "description": "Reads JSON, CSV, XML or a binary structure into records or a field.",
  "type": "object",
  "required": ["format"],
  "properties": {
    "format": {"type": "string", "title": "Format", "description": "Of the text or bytes.", "enum": ["json", "csv", "xml", "binary"], "x-enumTitles": {"json": "JSON", "csv": "CSV", "xml": "XML", "binary": "Binary structure"}},
    "from": {"type": "string", "title": "From", "description": "An {{ expression }} that gives the text.", "minLength": 1, "default": "{{ $input.payload }}"},
    "encoding": {"type": "string", "title": "Encoding", "description": "Text as it is, or bytes as base64. A binary structure is always base64.", "enum": ["text", "base64"], "default": "text", "x-enumTitles": {"text": "Text", "base64": "Base64"}},
    "output": {"type": "string", "title": "Result", "description": "Records: one for each line, element of a JSON list or binary record. Field: everything in one field of the record.", "enum": ["records", "field"], "default": "records", "x-enumTitles": {"records": "Records", "field": "Field"}},
    "into": {"type": "string", "title": "Field", "description": "Takes the result; a dot goes one level down.", "minLength": 1, "maxLength": 256, "default": "parsed", "x-showWhen": {"property": "output", "in": ["field"]}},
    "delimiter": {"type": "string", "title": "Delimiter", "description": "Between cells.", "enum": [",", ";", "\t", "|"], "default": ",", "x-showWhen": {"property": "format", "in": ["csv"]}},
    "header": {"type": "boolean", "title": "Header", "description": "Whether the first line names the columns.", "default": true, "x-showWhen": {"property": "format", "in": ["csv"]}},
    "columns": {"type": "array", "title": "Columns", "description": "Names of the columns where no header gives them; column1, column2 … without.", "items": {"type": "string", "minLength": 1, "maxLength": 256}, "maxItems": 256, "uniqueItems": true, "default": [], "x-showWhen": {"property": "format", "in": ["csv"]}},
    "types": {"type": "string", "title": "Types", "description": "Text: every cell stays text. Infer: unquoted cells become numbers, true, false, or null when they are empty.", "enum": ["text", "infer"], "default": "infer", "x-enumTitles": {"text": "Text", "infer": "Infer"}, "x-showWhen": {"property": "format", "in": ["csv"]}},
    "recordBytes": {"type": "integer", "title": "Record", "description": "Bytes of one record when there are several behind each other; 0: all bytes are one record.", "minimum": 0, "maximum": 4194304, "default": 0, "x-unit": "bytes", "x-showWhen": {"property": "format", "in": ["binary"]}},
    "fields": {"type": "array", "title": "Fields", "description": "Of the binary structure.", "minItems": 1, "maxItems": 1000, "x-widget": "points", "x-key": "name", "x-showWhen": {"property": "format", "in": ["binary"]}, "items": {
      "type": "object",
      "required": ["name", "offset", "type"],
      "properties": {
        "name": {"type": "string", "title": "Name", "description": "Of the field in the result.", "minLength": 1, "maxLength": 256},
        "offset": {"type": "integer", "title": "Offset", "description": "First byte, from 0.", "minimum": 0, "maximum": 4194303, "x-unit": "bytes"},
        "type": {"type": "string", "title": "Type", "description": "Of the value. Bytes become base64.", "enum": ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "bit", "text", "bytes"]},
        "byteOrder": {"type": "string", "title": "Byte order", "description": "Big: the highest byte first. Swapped: the bytes of every pair are exchanged.", "enum": ["big", "little", "bigSwapped", "littleSwapped"], "default": "big", "x-enumTitles": {"big": "Big endian", "little": "Little endian", "bigSwapped": "Big endian, bytes swapped", "littleSwapped": "Little endian, bytes swapped"}},
        "bit": {"type": "integer", "title": "Bit", "description": "Of the byte; 0 is the lowest.", "minimum": 0, "maximum": 7, "default": 0, "x-showWhen": {"property": "type", "in": ["bit"]}},
        "length": {"type": "integer", "title": "Length", "description": "Of text (which ends at the first zero) and bytes.", "minimum": 1, "maximum": 4194304, "x-unit": "bytes", "x-showWhen": {"property": "type", "in": ["text", "bytes"]}}
      }
    }}
  }
})";

constexpr std::string_view kMeta = "$meta";
constexpr std::size_t kMaxRecords = 200'000;

enum class Format : std::uint8_t { kJson, kCsv, kXml, kBinary };

class ParseLogic final : public NodeLogic {
 public:
  Format format = Format::kJson;
  std::optional<expression::Template> from;
  bool base64 = false;
  bool to_field = false;
  FieldPath into;
  formats::CsvOptions csv;
  formats::BinaryLayout layout;

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) {
      auto parsed = parse(run.scope(item));
      if (!parsed) {
        run.fail(std::move(item), std::move(parsed.error()));
      } else if (to_field) {
        make_object(item.record);
        assign(item.record, into, std::move(*parsed));
        run.pass(0, std::move(item));
      } else {
        give_records(run, std::move(item), std::move(*parsed));
      }
    }
    co_return;
  }

 private:
  static Json list_of(std::vector<Json> records) {
    Json list = json_array();
    for (Json& record : records) list.push_back(std::move(record));
    return list;
  }

  Result<Json> parse(const expression::Scope& scope) const {
    auto value = from->evaluate(scope);
    if (!value) return tributary::fail(std::move(value.error()));
    const auto given = expression::as_string(*value);
    if (!given) {
      return tributary::fail(
          ErrorClass::kFunction, "not_a_text",
          fmt::format("There is {} to parse, not a text.", expression::describe(*value)));
    }
    if (!base64) return read(*given);
    auto bytes = formats::decode_base64(*given);
    if (!bytes) return tributary::fail(std::move(bytes.error()));
    if (format != Format::kBinary) {
      if (auto text = formats::check_text(*bytes); !text) {
        return tributary::fail(std::move(text.error()));
      }
    }
    return read(*bytes);
  }

  Result<Json> read(std::string_view text) const {
    if (format == Format::kJson) return formats::parse_json_text(text);
    if (format == Format::kXml) return formats::parse_xml(text);
    auto records = format == Format::kCsv ? formats::parse_csv(text, csv)
                                          : formats::parse_binary(text, layout);
    if (!records) return tributary::fail(std::move(records.error()));
    const bool single = format == Format::kBinary && layout.record_bytes == 0;
    return single ? std::move(records->front()) : list_of(std::move(*records));
  }

  static void give_records(NodeRun& run, Item item, Json parsed) {
    std::vector<Record> records;
    if (parsed.is_array()) {
      if (parsed.size() > kMaxRecords) {
        return run.fail(std::move(item),
                        Error(ErrorClass::kFunction, "list_too_long",
                              fmt::format("The list has {} elements; {} are allowed.",
                                          parsed.size(), kMaxRecords)));
      }
      for (Json& element : parsed.array_range()) records.push_back(std::move(element));
    } else {
      records.push_back(std::move(parsed));
    }
    const Json& meta = get_member(item.record, kMeta);
    for (Record& record : records) {
      make_object(record);
      if (!meta.is_null() && !record.contains(kMeta)) record.insert_or_assign(kMeta, meta);
    }
    run.replace(0, item, std::move(records));
  }
};

void read_layout(NodeBuild& build, formats::BinaryLayout& layout) {
  layout.record_bytes = static_cast<std::size_t>(get_int(build.settings, "recordBytes", 0));
  std::set<std::string> names;
  const Json& list = build.settings.at("fields");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string below = fmt::format("/settings/fields/{}", i);
    formats::BinaryField field;
    field.name = get_string(list[i], "name");
    field.offset = static_cast<std::size_t>(get_int(list[i], "offset", 0));
    field.type = *formats::binary_type(get_string(list[i], "type"));
    field.bit = static_cast<int>(get_int(list[i], "bit", 0));
    field.length = static_cast<std::size_t>(get_int(list[i], "length", 0));
    const std::size_t size = formats::size_of(field.type);
    if (size == 0 && field.length == 0) {
      build.error(below + "/length", "required", "Text and bytes need a length.");
    }
    const std::string order = get_string(list[i], "byteOrder", "big");
    if (auto places = formats::byte_places(field.type, order)) {
      field.order = std::move(*places);
    } else {
      build.error(below + "/byteOrder", "invalid",
                  "Only values of four and eight bytes have swapped pairs.");
    }
    const std::size_t end = field.offset + (size == 0 ? field.length : size);
    if (layout.record_bytes != 0 && end > layout.record_bytes) {
      build.error(
          below + "/offset", "out_of_range",
          fmt::format("The field ends at byte {}, the record at {}.", end, layout.record_bytes));
    }
    if (!names.insert(field.name).second) {
      build.error(below + "/name", "duplicate",
                  fmt::format("The field '{}' is there twice.", field.name));
    }
    layout.fields.push_back(std::move(field));
  }
}

Format format_of(const std::string& text) {
  if (text == "csv") return Format::kCsv;
  if (text == "xml") return Format::kXml;
  return text == "binary" ? Format::kBinary : Format::kJson;
}

std::unique_ptr<NodeLogic> build_parse(NodeBuild& build) {
  auto logic = std::make_unique<ParseLogic>();
  const Json& settings = build.settings;
  logic->format = format_of(get_string(settings, "format"));
  logic->from = read_expression(build, settings, "from");
  logic->base64 = logic->format == Format::kBinary || get_string(settings, "encoding") == "base64";
  logic->to_field = get_string(settings, "output") == "field";
  logic->into = read_path(build, "/settings/into", get_string(settings, "into"));
  logic->csv.delimiter = get_string(settings, "delimiter", ",")[0];
  logic->csv.header = get_bool(settings, "header", true);
  logic->csv.infer_types = get_string(settings, "types") == "infer";
  for (const Json& name : settings.at("columns").array_range()) {
    logic->csv.columns.push_back(name.as<std::string>());
  }
  const bool is_binary = logic->format == Format::kBinary;
  if (is_binary != settings.contains("fields")) {
    build.error("/settings/fields", is_binary ? "required" : "invalid",
                "Fields belong to a binary structure, and to no other format.");
  } else if (is_binary) {
    read_layout(build, logic->layout);
  }
  if (logic->csv.header && !logic->csv.columns.empty()) {
    build.error("/settings/columns", "invalid",
                "The header names the columns already: set header to false.");
  }
  return logic;
}

}  // namespace

NodeType parse_type() {
  return {"parse", false, kSchema, {"out"}, &build_parse};
}

}  // namespace tributary::orchestrate
