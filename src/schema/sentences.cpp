#include "schema/sentences.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "schema/suggest.hpp"

namespace tributary::schema {
namespace {

constexpr std::size_t kLongestShown = 60;
constexpr std::size_t kMostListed = 12;

std::string list_names(const std::vector<std::string>& names) {
  const auto shown = std::min(names.size(), kMostListed);
  auto text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < names.size()) text += fmt::format(" … ({} more)", names.size() - shown);
  return text;
}

// Cuts between characters, not inside one.
std::string shorten(std::string text) {
  if (text.size() <= kLongestShown) return text;
  auto end = kLongestShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

std::string_view type_words(Type type) {
  switch (type) {
    case Type::kObject:
      return "an object";
    case Type::kArray:
      return "a list";
    case Type::kString:
      return "text";
    case Type::kInteger:
      return "a whole number";
    case Type::kNumber:
      return "a number";
    case Type::kBoolean:
      return "true or false";
  }
  return "";
}

}  // namespace

std::string show(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string() && !value.is_number()) return '"' + shorten(value.as_string()) + '"';
  return shorten(to_text(value));
}

std::string list_values(const std::vector<Json>& values) {
  std::vector<std::string> names;
  names.reserve(values.size());
  for (const auto& value : values) {
    const bool bare = value.is_string() && !value.as_string_view().empty();
    names.push_back(bare ? value.as_string() : to_text(value));
  }
  return list_names(names);
}

std::string wrong_type_sentence(Type type, const Json& value) {
  return fmt::format("{} is not {}", show(value), type_words(type));
}

std::string unknown_sentence(std::string_view name, const std::vector<std::string>& known) {
  if (known.empty()) return "unknown setting; there is nothing to set here";
  if (const auto near = nearest_name(name, known))
    return fmt::format("unknown setting; did you mean \"{}\"?", *near);
  return fmt::format("unknown setting; known settings: {}", list_names(known));
}

std::string count_sentence(std::size_t count, std::size_t bound, bool too_many,
                           std::string_view what) {
  const auto plural = [what](std::size_t n) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
  };
  if (too_many)
    return fmt::format("has {}, at most {} allowed", plural(count),
                       bound == 1 ? "1 is" : fmt::format("{} are", bound));
  if (count == 0 && bound == 1) return "must not be empty";
  return fmt::format("has {}, at least {} needed", plural(count),
                     bound == 1 ? "1 is" : fmt::format("{} are", bound));
}

}  // namespace tributary::schema
