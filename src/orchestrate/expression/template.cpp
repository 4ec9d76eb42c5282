#include "orchestrate/expression/template.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "orchestrate/expression/unicode.hpp"

namespace tributary::orchestrate::expression {
namespace {

constexpr std::string_view kOpen = "{{";

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
    auto compiled = expression::compile(text, open + kOpen.size(), nodes);
    if (!compiled) return invalid(text, compiled.error());
    result.parts_.push_back(
        {std::string(text.substr(at, open - at)), open, std::move(compiled->program)});
    at = compiled->end;
  }
  result.source_ = text;
  result.tail_ = text.substr(at);
  result.typed_ =
      result.parts_.size() == 1 && result.parts_[0].text.empty() && result.tail_.empty();
  return result;
}

Error Template::runtime_error(const Problem& problem) const {
  constexpr std::size_t kShown = 120;
  std::string_view shown = source_;
  std::string_view dots;
  if (shown.size() > kShown) {
    std::size_t cut = 0;
    while (cut + character_size(shown, cut) <= kShown) cut += character_size(shown, cut);
    shown = shown.substr(0, cut);
    dots = "…";
  }
  return Error(ErrorClass::kFunction, "expression_failed",
               fmt::format("{}{}: {}", shown, dots, sentence(source_, problem)));
}

Result<JsValue> Template::evaluate(const Scope& scope) const {
  if (is_constant()) return JsValue(std::string_view(tail_));
  if (!typed_) return join(scope);
  auto value = parts_[0].program.evaluate(scope);
  if (!value) return fail(runtime_error(value.error()));
  return std::move(*value);
}

Result<std::optional<Json>> Template::evaluate_json(const Scope& scope) const {
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
    auto value = part.program.evaluate(scope);
    if (!value) return fail(runtime_error(value.error()));
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
