// Texts are read twice as a rule: simdjson, which is many times faster, reads whatever it can give
// as it is; what it refuses (faults, and numbers beyond 64 bits) is jsoncons' to judge, which knows
// the line and keeps every digit. A test compares the two.
#include <fmt/format.h>
#include <simdjson.h>

#include <optional>

#include "model/json.hpp"
#include "model/object_builder.hpp"

namespace tributary {
namespace {

using Element = simdjson::dom::element;
using ElementType = simdjson::dom::element_type;

// A parser keeps memory in proportion to the largest text that it has read.
constexpr std::size_t kMaxSharedBytes = 256U << 10;
std::optional<Json> to_json(const Element& element, int levels_left);

std::optional<Json> to_json(const simdjson::dom::array& array, int levels_left) {
  Json json = json_array();
  json.reserve(array.size());
  for (const Element& each : array) {
    auto value = to_json(each, levels_left);
    if (!value) return std::nullopt;
    json.push_back(*std::move(value));
  }
  return json;
}

std::optional<Json> to_json(const simdjson::dom::object& object, int levels_left) {
  ObjectBuilder builder(object.size());
  for (const auto& [name, element] : object) {
    auto value = to_json(element, levels_left);
    if (!value) return std::nullopt;
    builder.add(name, *std::move(value));
  }
  return builder.take();
}

// nullopt: left to jsoncons.
std::optional<Json> to_json(const Element& element, int levels_left) {
  switch (element.type()) {
    case ElementType::OBJECT:
      if (levels_left == 0) return std::nullopt;
      return to_json(simdjson::dom::object(element), levels_left - 1);
    case ElementType::ARRAY:
      if (levels_left == 0) return std::nullopt;
      return to_json(simdjson::dom::array(element), levels_left - 1);
    case ElementType::INT64: {
      const std::int64_t number = element;
      return number < 0 ? Json(number) : Json(static_cast<std::uint64_t>(number));
    }
    case ElementType::UINT64:
      return Json(std::uint64_t(element));
    case ElementType::DOUBLE:
      return Json(double(element));
    case ElementType::BOOL:
      return Json(bool(element));
    case ElementType::STRING:
      return Json(std::string_view(element));
    case ElementType::NULL_VALUE:
      return Json::null();
  }
  return std::nullopt;
}

std::optional<Json> read_fast(simdjson::dom::parser& parser, std::string_view text) {
  Element element;
  if (parser.parse(text.data(), text.size()).get(element) != simdjson::SUCCESS) return std::nullopt;
  return to_json(element, kMaxJsonDepth);
}

Result<Json> read_thoroughly(std::string_view text) {
  std::error_code error;
  jsoncons::json_decoder<Json> decoder;
  auto options = jsoncons::json_options{}.max_nesting_depth(kMaxJsonDepth);
  jsoncons::json_string_reader reader(text, decoder, options);
  reader.read(error);
  if (!error && decoder.is_valid()) return decoder.get_result();
  return fail(ErrorClass::kFunction, "invalid_json",
              fmt::format("The text is not valid JSON: {} at line {}, column {}.",
                          error ? error.message() : "it is empty", reader.line(), reader.column()));
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  thread_local simdjson::dom::parser shared;
  if (text.size() <= kMaxSharedBytes) {
    if (auto json = read_fast(shared, text)) return *std::move(json);
  }
  return read_thoroughly(text);
}

}  // namespace tributary
