// script: JavaScript of the user's own, for each record or for a whole batch. It runs in a script
// worker (src/script) before process(), which only takes what came of it.
#include <fmt/format.h>

#include "orchestrate/expression/javascript.hpp"
#include "orchestrate/nodes/node.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Script",
  "description": "JavaScript for each record, or for a whole batch.",
  "type": "object",
  "required": ["code"],
  "properties": {
    "code": {"type": "string", "title": "Code", "description": "The body of a function: return a record, a list of records, or nothing to let the record end here.", "minLength": 1, "maxLength": 65536, "x-widget": "code", "examples": ["return {...$input, celsius: ($input.fahrenheit - 32) / 1.8}"]},
    "mode": {"type": "string", "title": "Runs", "description": "Once for each record, which is $input, or once for each batch, whose list of records is $items.", "enum": ["record", "batch"], "default": "record", "x-enumTitles": {"record": "For each record", "batch": "For each batch"}},
    "timeoutMs": {"type": "integer", "title": "CPU time", "description": "Longest CPU time of one run.", "minimum": 1, "maximum": 1000, "default": 100, "x-unit": "ms"}
  }
})";

Error wrong_answer(std::string_view wanted, const Json& got) {
  std::string_view what = "a text";
  if (got.is_number()) what = "a number";
  if (got.is_bool()) what = "a boolean";
  if (got.is_null()) what = "null";
  if (got.is_object()) what = "an object";
  if (got.is_array()) what = "a list";
  return Error(ErrorClass::kFunction, "script_failed",
               fmt::format("The script returned {}; it must return {}.", what, wanted),
               "A value belongs into a field of a record: return {value: …}.");
}

// The records of a list; an error when one of its elements is none.
Result<std::vector<Record>> records_of(Json list) {
  std::vector<Record> records;
  records.reserve(list.size());
  for (Json& element : list.array_range()) {
    if (!element.is_object()) return fail(wrong_answer("a list of records (objects)", element));
    records.push_back(std::move(element));
  }
  return records;
}

class ScriptLogic final : public NodeLogic {
 public:
  explicit ScriptLogic(bool whole_batch) : whole_batch_(whole_batch) {}

  Task<void> process(NodeRun& run, Items items) const override {
    if (whole_batch_) {
      take_batch(run, std::move(items));
      co_return;
    }
    for (Item& item : items) take(run, std::move(item));
  }

 private:
  static expression::Computed value_of(Item& item) {
    if (item.scripts.empty()) {
      return fail(ErrorClass::kInternal, "script_unavailable", "The script was not evaluated.");
    }
    return std::move(item.scripts.front());
  }

  static void take(NodeRun& run, Item item) {
    expression::Computed value = value_of(item);
    if (!value) {
      run.fail(std::move(item), std::move(value.error()));
    } else if (!*value || (*value)->is_null()) {
      run.filter();
    } else if ((*value)->is_object()) {
      item.record = std::move(**value);
      run.pass(0, std::move(item));
    } else if (!(*value)->is_array()) {
      Error error = wrong_answer("a record (an object), a list of records, or nothing", **value);
      run.fail(std::move(item), std::move(error));
    } else if (auto records = records_of(std::move(**value)); records) {
      run.replace(0, item, std::move(*records));
    } else {
      run.fail(std::move(item), std::move(records.error()));
    }
  }

  // The records of the answer take the place of those that came in, one by one, so that $trigger
  // and $node still mean something. When there are fewer, the rest ends here; when there are more,
  // the last item is followed by them.
  static void take_batch(NodeRun& run, Items items) {
    expression::Computed value = value_of(items.front());
    Result<std::vector<Record>> records = std::vector<Record>{};
    if (!value) {
      records = tributary::fail(std::move(value.error()));
    } else if (*value && (*value)->is_array()) {
      records = records_of(std::move(**value));
    } else if (*value && !(*value)->is_null()) {
      records = tributary::fail(wrong_answer("a list of records", **value));
    }
    if (!records) {
      for (Item& item : items) run.fail(std::move(item), records.error());
      return;
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i >= records->size()) {
        run.filter();
        continue;
      }
      const bool last = i + 1 == items.size();
      const auto begin = records->begin() + static_cast<std::ptrdiff_t>(i);
      std::vector<Record> own(std::make_move_iterator(begin),
                              std::make_move_iterator(last ? records->end() : begin + 1));
      run.replace(0, items[i], std::move(own));
    }
  }

  bool whole_batch_;
};

std::unique_ptr<NodeLogic> build_script(NodeBuild& build) {
  const std::string code = get_string(build.settings, "code");
  const bool whole_batch = get_string(build.settings, "mode", "record") == "batch";
  build.script_use.whole_batch = whole_batch;
  build.script_use.limits.cpu =
      std::chrono::milliseconds(get_int(build.settings, "timeoutMs", 100));
  expression::collect_names(code, build.names);
  build.names.script({script::Source::Kind::kFunction, code, 1, 1});
  return std::make_unique<ScriptLogic>(whole_batch);
}

}  // namespace

NodeType script_type() {
  return {"script", false, kSchema, {"out"}, &build_script};
}

}  // namespace tributary::orchestrate
