#include "api/csv.hpp"

#include <algorithm>
#include <array>

namespace tributary::api {

namespace {

// The signs, and their full-width forms in UTF-8.
constexpr std::array<std::string_view, 10> kFormulaStarts{
    "=", "+", "-", "@", "\t", "\r", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};

}  // namespace

std::string csv_text(std::string_view text) {
  std::string field;
  const bool formula = std::ranges::any_of(
      kFormulaStarts, [&](std::string_view start) { return text.starts_with(start); });
  if (formula) field.push_back('\'');
  field += text;
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

std::string csv_line(std::initializer_list<std::string> fields) {
  std::string line;
  for (const auto& field : fields) {
    if (&field != fields.begin()) line.push_back(',');
    line += field;
  }
  return line + "\r\n";
}

}  // namespace tributary::api
