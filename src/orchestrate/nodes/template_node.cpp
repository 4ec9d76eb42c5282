// template: writes a record as a text of some format, by encoders that keep values apart from
// syntax.
#include <fmt/format.h>

#include "orchestrate/formats/encoders.hpp"
#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Template",
  "description": "Writes a record as JSON, text, CSV, InfluxDB line protocol or a list of metrics, into a field.",
  "type": "object",
  "required": ["format"],
  "properties": {
    "format": {"type": "string", "title": "Format", "description": "Of the text.", "enum": ["json", "text", "csv", "lineProtocol", "metrics"], "x-enumTitles": {"json": "JSON", "text": "Text", "csv": "CSV", "lineProtocol": "InfluxDB line protocol", "metrics": "Metric list as in Sparkplug"}},
    "into": {"type": "string", "title": "Field", "description": "Takes the text; a dot goes one level down.", "minLength": 1, "maxLength": 256, "default": "payload"},
    "include": {"type": "string", "title": "Other fields", "description": "Whether the fields of the input stay. $meta always stays.", "enum": ["all", "none"], "default": "all", "x-enumTitles": {"all": "All", "none": "None"}},
    "document": {"title": "Document", "description": "Any JSON whose strings may hold {{ expressions }}; the whole record without $meta when it is not given.", "x-widget": "json", "x-showWhen": {"property": "format", "in": ["json"]}},
    "text": {"type": "string", "title": "Text", "description": "With {{ expressions }} in it.", "x-widget": "textarea", "x-showWhen": {"property": "format", "in": ["text"]}},
    "rows": {"type": "string", "title": "Rows", "description": "An {{ expression }} that gives a list: one line for each element, which is $item. Without it the record is one line.", "minLength": 1, "x-placeholder": "{{ $input.items }}", "x-showWhen": {"property": "format", "in": ["csv", "lineProtocol"]}},
    "columns": {"type": "array", "title": "Columns", "description": "Of a CSV line.", "minItems": 1, "maxItems": 256, "x-widget": "points", "x-showWhen": {"property": "format", "in": ["csv"]}, "items": {
      "type": "object",
      "required": ["name", "value"],
      "properties": {
        "name": {"type": "string", "title": "Name", "description": "In the header.", "minLength": 1, "maxLength": 256},
        "value": {"type": "string", "title": "Value", "description": "Text or an {{ expression }}.", "maxLength": 16384}
      }
    }},
    "header": {"type": "boolean", "title": "Header", "description": "Whether a line with the names comes first.", "default": false, "x-showWhen": {"property": "format", "in": ["csv"]}},
    "delimiter": {"type": "string", "title": "Delimiter", "description": "Between cells.", "enum": [",", ";", "\t", "|"], "default": ",", "x-showWhen": {"property": "format", "in": ["csv"]}},
    "measurement": {"type": "string", "title": "Measurement", "description": "Text with {{ expressions }}.", "minLength": 1, "maxLength": 16384, "x-showWhen": {"property": "format", "in": ["lineProtocol"]}},
    "tags": {"type": "object", "title": "Tags", "description": "Name and value of each; null and undefined are left out.", "additionalProperties": true, "default": {}, "x-widget": "map", "x-showWhen": {"property": "format", "in": ["lineProtocol"]}},
    "fields": {"type": "object", "title": "Fields", "description": "Name and value of each; every field of the record but $meta when it is not given.", "additionalProperties": true, "x-widget": "map", "x-showWhen": {"property": "format", "in": ["lineProtocol", "metrics"]}},
    "timestamp": {"type": "string", "title": "Time", "description": "An {{ expression }} that gives a time as text, or milliseconds since 1970; $meta.time when it is not given.", "minLength": 1, "x-showWhen": {"property": "format", "in": ["lineProtocol", "metrics"]}},
    "precision": {"type": "string", "title": "Precision", "description": "Of the time in line protocol.", "enum": ["ns", "us", "ms", "s"], "default": "ns", "x-showWhen": {"property": "format", "in": ["lineProtocol"]}},
    "as": {"type": "string", "title": "Result", "description": "The text, or (JSON and metrics) the document itself.", "enum": ["text", "document"], "default": "text", "x-enumTitles": {"text": "Text", "document": "Document"}, "x-showWhen": {"property": "format", "in": ["json", "metrics"]}}
  }
})";

constexpr std::string_view kMeta = "$meta";
// Lines that one record makes.
constexpr std::size_t kMaxRows = 100'000;

enum class Format : std::uint8_t { kJson, kText, kCsv, kLineProtocol, kMetrics };

using formats::NamedValues;
using NamedDocuments = std::vector<std::pair<std::string, expression::Document>>;

class TemplateLogic final : public NodeLogic {
 public:
  Format format = Format::kJson;
  FieldPath into;
  bool include_all = true;
  bool as_document = false;
  std::optional<expression::Document> document;
  std::optional<expression::Template> text;  // also the measurement
  std::optional<expression::Template> rows;
  NamedDocuments columns;
  bool header = false;
  char delimiter = ',';
  NamedDocuments tags;
  std::optional<NamedDocuments> fields;
  std::optional<expression::Template> timestamp;
  formats::Precision precision = formats::Precision::kNanoseconds;

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) {
      auto written = write(run.scope(item));
      if (!written) {
        run.fail(std::move(item), std::move(written.error()));
        continue;
      }
      make_object(item.record);
      if (!include_all) {
        Json kept = json_object();
        const Json& meta = get_member(item.record, kMeta);
        if (!meta.is_null()) kept.insert_or_assign(kMeta, meta);
        item.record = std::move(kept);
      }
      assign(item.record, into, std::move(*written));
      run.pass(0, std::move(item));
    }
    co_return;
  }

 private:
  Result<Json> write(const expression::Scope& scope) const {
    switch (format) {
      case Format::kJson: {
        auto value =
            document ? document->evaluate(scope) : Result<Json>(without_meta(*scope.input));
        if (!value || as_document) return value;
        return Json(to_text(*value));
      }
      case Format::kText: {
        auto value = plain_text(scope);
        if (!value) return tributary::fail(std::move(value.error()));
        return Json(std::move(*value));
      }
      case Format::kMetrics:
        return metrics(scope);
      default:
        return lines(scope);
    }
  }

  Result<std::string> plain_text(const expression::Scope& scope) const {
    auto value = text->evaluate(scope);
    if (!value) return tributary::fail(std::move(value.error()));
    if (expression::is_undefined(*value)) {
      return tributary::fail(ErrorClass::kFunction, "expression_failed",
                             "The text is undefined; write ?? \"…\" to say what stands there.");
    }
    if (const auto* json = std::get_if<const Json*>(&*value)) return to_text(**json);
    return expression::to_string(*value);
  }

  static Json without_meta(const Json& record) {
    Json copy = record;
    if (copy.is_object()) copy.erase(kMeta);
    return copy;
  }

  Result<Json> lines(const expression::Scope& scope) const {
    std::string out;
    if (format == Format::kCsv && header) {
      std::vector<Json> names;
      for (const auto& [name, value] : columns) names.emplace_back(name);
      out = formats::csv_line(names, delimiter) + "\r\n";
    }
    if (!rows) {
      auto line = format == Format::kCsv ? csv(scope) : influx(scope);
      if (!line) return tributary::fail(std::move(line.error()));
      return Json(out + *line);
    }
    auto list = rows->evaluate(scope);
    if (!list) return tributary::fail(std::move(list.error()));
    const auto* json = std::get_if<const Json*>(&*list);
    if (json == nullptr || !(*json)->is_array() || (*json)->size() > kMaxRows) {
      return tributary::fail(ErrorClass::kFunction, "not_a_list",
                             fmt::format("The rows are {}, not a list of at most {} elements.",
                                         expression::describe(*list), kMaxRows));
    }
    expression::Scope row = scope;
    for (std::size_t i = 0; i < (*json)->size(); ++i) {
      row.item = &(**json)[i];
      row.index = static_cast<std::int64_t>(i);
      auto line = format == Format::kCsv ? csv(row) : influx(row);
      if (!line) return tributary::fail(std::move(line.error()));
      out += *line + (format == Format::kCsv ? "\r\n" : "\n");
      if (out.size() > expression::kMaxTextBytes) {
        return tributary::fail(
            ErrorClass::kFunction, "too_large",
            fmt::format("The text is longer than {} MiB.", expression::kMaxTextBytes >> 20));
      }
    }
    return Json(std::move(out));
  }

  static Result<NamedValues> evaluate(const NamedDocuments& documents,
                                      const expression::Scope& scope) {
    NamedValues values;
    for (const auto& [name, document] : documents) {
      auto value = document.evaluate_optional(scope);
      if (!value) return tributary::fail(std::move(value.error()));
      values.emplace_back(name, *value ? std::move(**value) : Json::null());
    }
    return values;
  }

  Result<NamedValues> field_values(const expression::Scope& scope) const {
    if (fields) return evaluate(*fields, scope);
    NamedValues values;
    const Json& record = rows ? *scope.item : *scope.input;
    if (!record.is_object()) return values;
    for (const auto& member : record.object_range()) {
      if (member.key() != kMeta) values.emplace_back(member.key(), member.value());
    }
    return values;
  }

  Result<std::string> csv(const expression::Scope& scope) const {
    auto values = evaluate(columns, scope);
    if (!values) return tributary::fail(std::move(values.error()));
    std::vector<Json> cells;
    for (auto& [name, value] : *values) cells.push_back(std::move(value));
    return formats::csv_line(cells, delimiter);
  }

  Result<std::string> influx(const expression::Scope& scope) const {
    auto measurement = plain_text(scope);
    if (!measurement) return tributary::fail(std::move(measurement.error()));
    auto tag_values = evaluate(tags, scope);
    if (!tag_values) return tributary::fail(std::move(tag_values.error()));
    auto values = field_values(scope);
    if (!values) return tributary::fail(std::move(values.error()));
    auto time = time_of_record(scope);
    if (!time) return tributary::fail(std::move(time.error()));
    return formats::line_protocol(*measurement, *tag_values, *values, *time, precision);
  }

  Result<Json> metrics(const expression::Scope& scope) const {
    auto values = field_values(scope);
    if (!values) return tributary::fail(std::move(values.error()));
    auto time = time_of_record(scope);
    if (!time) return tributary::fail(std::move(time.error()));
    const Json& points = get_member(get_member(*scope.input, kMeta), "points");
    Json list = formats::metric_list(*values, time->value_or(scope.now), points);
    return as_document ? list : Json(to_text(list));
  }

  // nullopt: the record has none.
  Result<std::optional<UtcTime>> time_of_record(const expression::Scope& scope) const {
    std::optional<Json> given;
    if (timestamp) {
      auto value = timestamp->evaluate_json(scope);
      if (!value) return tributary::fail(std::move(value.error()));
      given = std::move(*value);
    } else {
      const Json& record = rows ? *scope.item : *scope.input;
      given = get_member(get_member(record, kMeta), "time");
    }
    if (!given || given->is_null()) return std::nullopt;
    if (given->is_int64() && std::abs(given->as<std::int64_t>()) < 1'000'000'000'000'000) {
      return from_micros(given->as<std::int64_t>() * 1000);
    }
    auto time = parse_utc(given->is_string() ? given->as_string() : to_text(*given));
    if (!time) return tributary::fail(std::move(time.error()));
    return std::optional(*time);
  }
};

NamedDocuments read_documents(NodeBuild& build, const Json& object, const std::string& below) {
  NamedDocuments documents;
  for (const auto& member : object.object_range()) {
    const std::string pointer =
        fmt::format("{}{}/{}", build.pointer, below, escape_pointer(member.key()));
    documents.emplace_back(member.key(), expression::Document::compile(member.value(), pointer,
                                                                       build.names, build.errors));
  }
  return documents;
}

// Settings of a format: those that it needs, and all that it knows.
struct Rule {
  std::string_view format;
  std::vector<std::string_view> needs;
  std::vector<std::string_view> knows;
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = {
      {"json", {}, {"document"}},
      {"text", {"text"}, {"text"}},
      {"csv", {"columns"}, {"columns", "rows"}},
      {"lineProtocol", {"measurement"}, {"measurement", "rows", "fields", "timestamp"}},
      {"metrics", {}, {"fields", "timestamp"}},
  };
  return all;
}

Format check_format(NodeBuild& build) {
  const std::string format = get_string(build.settings, "format");
  std::size_t index = 0;
  while (rules()[index].format != format) ++index;
  const Rule& rule = rules()[index];
  for (const std::string_view member : rule.needs) {
    if (build.settings.contains(member)) continue;
    build.error(fmt::format("/settings/{}", member), "required",
                fmt::format("The format {} needs it.", format));
  }
  for (const std::string_view member :
       {"document", "text", "columns", "rows", "measurement", "fields", "timestamp"}) {
    const bool known = std::find(rule.knows.begin(), rule.knows.end(), member) != rule.knows.end();
    if (known || !build.settings.contains(member)) continue;
    build.error(fmt::format("/settings/{}", member), "invalid",
                fmt::format("The format {} does not use it.", format));
  }
  return static_cast<Format>(index);
}

formats::Precision precision_of(const Json& settings) {
  const std::string text = get_string(settings, "precision");
  if (text == "us") return formats::Precision::kMicroseconds;
  if (text == "ms") return formats::Precision::kMilliseconds;
  return text == "s" ? formats::Precision::kSeconds : formats::Precision::kNanoseconds;
}

// JavaScript of the node so far; the slots stay what they are.
std::size_t count_scripts(expression::NodeNames& names) {
  std::vector<script::Source> sources = names.take_scripts();
  for (const script::Source& source : sources) names.script(source);
  return sources.size();
}

std::unique_ptr<NodeLogic> build_template(NodeBuild& build) {
  auto logic = std::make_unique<TemplateLogic>();
  const Json& settings = build.settings;
  logic->format = check_format(build);
  logic->into = read_path(build, "/settings/into", get_string(settings, "into"));
  logic->include_all = get_string(settings, "include") == "all";
  logic->as_document = get_string(settings, "as") == "document";
  if (settings.contains("document")) {
    logic->document = expression::Document::compile(
        settings.at("document"), build.pointer + "/settings/document", build.names, build.errors);
  }
  logic->rows = read_expression(build, settings, "rows");
  const std::size_t scripts_of_rows = count_scripts(build.names);
  logic->text =
      read_text(build, settings, logic->format == Format::kLineProtocol ? "measurement" : "text");
  logic->timestamp = read_expression(build, settings, "timestamp");
  logic->header = get_bool(settings, "header", false);
  logic->delimiter = get_string(settings, "delimiter", ",")[0];
  logic->precision = precision_of(settings);
  logic->tags = read_documents(build, settings.at("tags"), "/settings/tags");
  if (settings.contains("fields")) {
    logic->fields = read_documents(build, settings.at("fields"), "/settings/fields");
  }
  const Json& columns = get_member(settings, "columns");
  for (std::size_t i = 0; columns.is_array() && i < columns.size(); ++i) {
    const std::string pointer = fmt::format("{}/settings/columns/{}/value", build.pointer, i);
    logic->columns.emplace_back(
        get_string(columns[i], "name"),
        expression::Document::compile(columns[i].at("value"), pointer, build.names, build.errors));
  }
  // JavaScript is evaluated once for a record, before it is known what its rows are.
  if (logic->rows && count_scripts(build.names) > scripts_of_rows) {
    build.error("/settings/rows", "invalid_expression",
                "With rows, the expressions of a row cannot be JavaScript: make the rows with a "
                "script node, or with JavaScript in rows itself.");
  }
  return logic;
}

}  // namespace

NodeType template_type() {
  return {"template", false, kSchema, {"out"}, &build_template};
}

}  // namespace tributary::orchestrate
