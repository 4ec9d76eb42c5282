#include "orchestrate/expression/template.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "orchestrate/expression/javascript.hpp"
#include "orchestrate/expression/unicode.hpp"

namespace tributary::orchestrate::expression {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";

struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
};

Place place_of(std::string_view text, std::size_t offset) {
  Place place;
  for (std::size_t i = 0; i < std::min(offset, text.size()); i += character_size(text, i)) {
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

std::string sentence(std::string_view text, const Problem& problem) {
  const Place place = place_of(text, problem.offset);
  return fmt::format("line {}, column {}: {}", place.line, place.column, problem.message);
}

std::unexpected<Error> invalid(std::string_view text, const Problem& problem) {
  return fail(ErrorClass::kConfiguration, "invalid_expression", sentence(text, problem));
}

bool contains_expression(const Json& json) {
  if (json.is_string()) return json.as_string_view().find(kOpen) != std::string_view::npos;
  if (json.is_array()) {
    return std::any_of(json.array_range().begin(), json.array_range().end(), contains_expression);
  }
  if (!json.is_object()) return false;
  return std::any_of(json.object_range().begin(), json.object_range().end(),
                     [](const auto& member) { return contains_expression(member.value()); });
}

}  // namespace

Result<Template> Template::compile(std::string_view text, NodeNames& nodes) {
  Template result;
  std::size_t at = 0;
  while (true) {
    const std::size_t open = text.find(kOpen, at);
    if (open == std::string_view::npos) break;
    if (text.size() > kMaxExpressionBytes) {
      return invalid(text,
                     {kMaxExpressionBytes,
                      fmt::format("a text with expressions may have {} bytes, this one has {}",
                                  kMaxExpressionBytes, text.size())});
    }
    const std::size_t start = open + kOpen.size();
    auto compiled = expression::compile(text, start, nodes);
    const auto end =
        !compiled && compiled.error().javascript ? find_javascript_end(text, start) : std::nullopt;
    if (end) {
      const std::string_view script = text.substr(start, *end - start);
      const Place place = place_of(text, start);
      collect_names(script, nodes);
      Part part{std::string(text.substr(at, open - at)), open, {}, {}};
      part.script = nodes.script({script::Source::Kind::kExpression, std::string(script),
                                  static_cast<int>(place.line), static_cast<int>(place.column)});
      result.parts_.push_back(std::move(part));
      at = *end + kClose.size();
      continue;
    }
    if (!compiled && compiled.error().javascript) {
      return invalid(text, {start, "a bracket, a text or a comment is not closed before '}}'"});
    }
    if (!compiled) return invalid(text, compiled.error());
    result.parts_.push_back(
        {std::string(text.substr(at, open - at)), open, std::move(compiled->program), {}});
    at = compiled->end;
  }
  result.source_ = text;
  result.tail_ = text.substr(at);
  result.typed_ =
      result.parts_.size() == 1 && result.parts_[0].text.empty() && result.tail_.empty();
  return result;
}

std::string Template::shown() const {
  constexpr std::size_t kShown = 120;
  if (source_.size() <= kShown) return source_;
  std::size_t cut = 0;
  while (cut + character_size(source_, cut) <= kShown) cut += character_size(source_, cut);
  return source_.substr(0, cut) + "…";
}

Error Template::runtime_error(const Problem& problem) const {
  return Error(ErrorClass::kFunction, "expression_failed",
               fmt::format("{}: {}", shown(), sentence(source_, problem)));
}

Result<const std::optional<Json>*> Template::computed(const Part& part, const Scope& scope) const {
  if (*part.script >= scope.scripts.size()) {
    return fail(ErrorClass::kInternal, "script_unavailable",
                fmt::format("{}: JavaScript cannot be evaluated here.", shown()));
  }
  const Computed& value = scope.scripts[*part.script];
  if (value) return &*value;
  Error error = value.error();
  error.message = fmt::format("{}: {}", shown(), error.message);
  return fail(std::move(error));
}

Result<JsValue> Template::value_of(const Part& part, const Scope& scope) const {
  if (part.script) {
    auto value = computed(part, scope);
    if (!value) return fail(std::move(value.error()));
    return **value ? from_json(***value) : JsValue(Undefined{});
  }
  auto value = part.program.evaluate(scope);
  if (!value) return fail(runtime_error(value.error()));
  return std::move(*value);
}

Result<JsValue> Template::evaluate(const Scope& scope) const {
  if (is_constant()) return JsValue(std::string_view(tail_));
  if (!typed_) return join(scope);
  return value_of(parts_[0], scope);
}

Result<std::optional<Json>> Template::evaluate_json(const Scope& scope) const {
  if (typed_ && parts_[0].script) {
    auto value = computed(parts_[0], scope);
    if (!value) return fail(std::move(value.error()));
    return **value;
  }
  if (typed_ && parts_[0].program.is_path()) {
    // The field as it is: every bit of a number, every tag.
    auto found = parts_[0].program.find(scope);
    if (!found) return fail(runtime_error(found.error()));
    if (*found) {
      if (**found == nullptr) return std::nullopt;
      return std::optional<Json>(***found);
    }
  }
  auto value = evaluate(scope);
  if (!value) return fail(std::move(value.error()));
  return to_json(*value);
}

Result<JsValue> Template::join(const Scope& scope) const {
  std::string out;
  for (const Part& part : parts_) {
    out += part.text;
    auto value = value_of(part, scope);
    if (!value) return value;
    if (is_undefined(*value)) {
      return fail(runtime_error(
          {part.offset,
           "a value in the text is undefined; write ?? \"…\" behind it to say what stands "
           "there instead"}));
    }
    if (const auto* json = std::get_if<const Json*>(&*value)) {
      out += to_text(**json);
    } else {
      out += to_string(*value);
    }
    if (out.size() > kMaxTextBytes) {
      return fail(runtime_error(
          {part.offset, fmt::format("the text is longer than {} MiB", kMaxTextBytes >> 20)}));
    }
  }
  out += tail_;
  return JsValue(std::move(out));
}

Document Document::compile(const Json& json, const std::string& pointer, NodeNames& nodes,
                           std::vector<schema::FieldError>& errors) {
  Document result;
  if (!contains_expression(json)) {
    result.content_ = json;
  } else if (json.is_string()) {
    auto compiled = Template::compile(json.as_string_view(), nodes);
    if (compiled) {
      result.content_ = std::move(*compiled);
    } else {
      errors.push_back({pointer, compiled.error().code, compiled.error().message});
    }
  } else if (json.is_array()) {
    Elements elements;
    for (std::size_t i = 0; i < json.size(); ++i) {
      elements.push_back(compile(json[i], fmt::format("{}/{}", pointer, i), nodes, errors));
    }
    result.content_ = std::move(elements);
  } else {
    Members members;
    for (const auto& member : json.object_range()) {
      const std::string below = pointer + "/" + escape_pointer(member.key());
      members.emplace_back(member.key(), compile(member.value(), below, nodes, errors));
    }
    result.content_ = std::move(members);
  }
  return result;
}

Result<std::optional<Json>> Document::evaluate_optional(const Scope& scope) const {
  if (const auto* constant = std::get_if<Json>(&content_)) return std::optional<Json>(*constant);
  if (const auto* text = std::get_if<Template>(&content_)) return text->evaluate_json(scope);
  if (const auto* members = std::get_if<Members>(&content_)) {
    Json object = json_object();
    for (const auto& [name, document] : *members) {
      auto value = document.evaluate_optional(scope);
      if (!value) return value;
      if (*value) object.insert_or_assign(name, std::move(**value));
    }
    return std::optional<Json>(std::move(object));
  }
  Json array = json_array();
  for (const Document& element : std::get<Elements>(content_)) {
    auto value = element.evaluate_optional(scope);
    if (!value) return value;
    array.push_back(*value ? std::move(**value) : Json::null());
  }
  return std::optional<Json>(std::move(array));
}

Result<Json> Document::evaluate(const Scope& scope) const {
  auto value = evaluate_optional(scope);
  if (!value) return fail(std::move(value.error()));
  return *value ? std::move(**value) : Json::null();
}

}  // namespace tributary::orchestrate::expression
