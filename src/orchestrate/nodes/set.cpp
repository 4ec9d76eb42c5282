// set: computes fields. Every expression sees the record as it came in.
#include <fmt/format.h>

#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Set fields",
  "description": "Adds, replaces and selects fields of a record.",
  "type": "object",
  "required": ["fields"],
  "properties": {
    "fields": {"type": "object", "title": "Fields", "description": "Value of each field: a literal or an {{ expression }}. A dot in a name goes one level down; \\. is a dot.", "additionalProperties": true, "x-widget": "map"},
    "include": {"type": "string", "title": "Other fields", "description": "Which fields of the input stay.", "enum": ["all", "none", "selected"], "default": "all", "x-enumTitles": {"all": "All", "none": "None", "selected": "Selected"}},
    "selected": {"type": "array", "title": "Selected fields", "description": "Names of the fields that stay.", "items": {"type": "string", "minLength": 1}, "default": [], "uniqueItems": true, "x-showWhen": {"property": "include", "in": ["selected"]}}
  }
})";

constexpr std::string_view kMeta = "$meta";
enum class Include : std::uint8_t { kAll, kNone, kSelected };

struct Field {
  FieldPath path;
  expression::Document value;
};

class SetLogic final : public NodeLogic {
 public:
  std::vector<Field> fields;
  Include include = Include::kAll;
  std::vector<std::string> selected;

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) {
      auto values = evaluate(run.scope(item));
      if (!values) {
        run.fail(std::move(item), std::move(values.error()));
        continue;
      }
      keep_included(item.record);
      for (std::size_t i = 0; i < fields.size(); ++i) {
        assign(item.record, fields[i].path, std::move((*values)[i]));
      }
      run.pass(0, std::move(item));
    }
    co_return;
  }

 private:
  Result<std::vector<std::optional<Json>>> evaluate(const expression::Scope& scope) const {
    std::vector<std::optional<Json>> values;
    values.reserve(fields.size());
    for (const Field& field : fields) {
      auto value = field.value.evaluate_optional(scope);
      if (!value) {
        Error error = std::move(value.error());
        error.message = fmt::format("Field '{}': {}", fmt::join(field.path, "."), error.message);
        return tributary::fail(std::move(error));
      }
      values.push_back(std::move(*value));
    }
    return values;
  }

  void keep_included(Json& record) const {
    if (!record.is_object()) record = json_object();
    if (include == Include::kAll) return;
    Json kept = json_object();
    for (const std::string& name : selected) {
      if (record.contains(name)) kept.insert_or_assign(name, std::move(record.at(name)));
    }
    // Where a record came from stays with it.
    if (record.contains(kMeta) && !kept.contains(kMeta)) {
      kept.insert_or_assign(kMeta, std::move(record.at(kMeta)));
    }
    record = std::move(kept);
  }
};

std::unique_ptr<NodeLogic> build_set(NodeBuild& build) {
  auto logic = std::make_unique<SetLogic>();
  const std::string include = get_string(build.settings, "include", "all");
  if (include == "none") logic->include = Include::kNone;
  if (include == "selected") {
    logic->include = Include::kSelected;
    for (const Json& name : get_member(build.settings, "selected").array_range()) {
      logic->selected.push_back(name.as<std::string>());
    }
  }
  for (const auto& member : get_member(build.settings, "fields").object_range()) {
    const std::string below = "/settings/fields/" + escape_pointer(member.key());
    FieldPath path = read_path(build, below, member.key());
    if (path.empty()) continue;
    logic->fields.push_back(
        {std::move(path), expression::Document::compile(member.value(), build.pointer + below,
                                                        build.names, build.errors)});
  }
  return logic;
}

}  // namespace

NodeType set_type() {
  return {"set", false, kSchema, {"out"}, &build_set};
}

}  // namespace tributary::orchestrate
