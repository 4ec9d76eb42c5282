// forEach: makes one record of every element of a list.
#include <fmt/format.h>

#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "For each",
  "description": "Makes one record of every element of a list. Behind it $item is the element and $index its place.",
  "type": "object",
  "required": ["expression"],
  "properties": {
    "expression": {"type": "string", "title": "List", "description": "An {{ expression }} that gives a list.", "minLength": 1, "x-placeholder": "{{ $input.items }}"},
    "as": {"type": "string", "title": "Field", "description": "Field that takes the element. Without it the element becomes the record; one that is no object goes to the field value.", "minLength": 1, "maxLength": 256},
    "include": {"type": "string", "title": "Other fields", "description": "Whether the fields of the input stay. $meta always stays.", "enum": ["none", "all"], "default": "none", "x-enumTitles": {"none": "None", "all": "All"}}
  }
})";

constexpr std::string_view kMeta = "$meta";
// Of one record.
constexpr std::size_t kMaxElements = 100'000;

class ForEachLogic final : public NodeLogic {
 public:
  std::optional<expression::Template> list;
  FieldPath as;
  bool all = false;

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) {
      auto elements = elements_of(run.scope(item));
      if (!elements) {
        run.fail(std::move(item), std::move(elements.error()));
        continue;
      }
      if (elements->empty()) {
        run.filter();
        continue;
      }
      for (std::size_t i = 0; i < elements->size(); ++i) {
        Item made = make(item, (*elements)[i], i);
        if (i == 0) {
          run.pass(0, std::move(made));
        } else {
          run.emit(0, std::move(made));
        }
      }
    }
    co_return;
  }

 private:
  // A copy: the records that are made of it outlive the one it is part of.
  Result<Json> elements_of(const expression::Scope& scope) const {
    auto value = list->evaluate(scope);
    if (!value) return tributary::fail(std::move(value.error()));
    const auto* json = std::get_if<const Json*>(&*value);
    if (json == nullptr || !(*json)->is_array()) {
      return tributary::fail(
          ErrorClass::kFunction, "not_a_list",
          fmt::format("The expression gives {}, not a list.", expression::describe(*value)));
    }
    if ((*json)->size() > kMaxElements) {
      return tributary::fail(
          ErrorClass::kFunction, "list_too_long",
          fmt::format("The list has {} elements; {} are allowed.", (*json)->size(), kMaxElements));
    }
    return **json;
  }

  Item make(const Item& item, const Json& element, std::size_t index) const {
    Item made;
    made.trigger = item.trigger;
    made.seen = item.seen;
    made.index = static_cast<std::int64_t>(index);
    made.element = std::make_shared<const Json>(element);
    made.record = all && item.record.is_object() ? item.record : json_object();
    const Json& meta = get_member(item.record, kMeta);
    if (!as.empty()) {
      assign(made.record, as, element);
    } else if (element.is_object()) {
      for (const auto& member : element.object_range()) {
        made.record.insert_or_assign(member.key(), member.value());
      }
    } else {
      made.record.insert_or_assign("value", element);
    }
    // An element may have a $meta of its own, and then it knows better.
    if (!meta.is_null() && !made.record.contains(kMeta)) {
      made.record.insert_or_assign(kMeta, meta);
    }
    return made;
  }
};

std::unique_ptr<NodeLogic> build_for_each(NodeBuild& build) {
  auto logic = std::make_unique<ForEachLogic>();
  logic->list = read_expression(build, build.settings, "expression");
  logic->all = get_string(build.settings, "include") == "all";
  const std::string as = get_string(build.settings, "as");
  if (!as.empty()) logic->as = read_path(build, "/settings/as", as);
  return logic;
}

}  // namespace

NodeType for_each_type() {
  return {"forEach", false, kSchema, {"out"}, &build_for_each};
}

}  // namespace tributary::orchestrate
