#include "connectors/file/src/path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace tributary::connectors::file {
namespace {

std::unexpected<Error> invalid(std::string message, std::string pointer = "/settings/path") {
  return fail(ErrorClass::kFunction, "invalid_path", std::move(message),
              "A path is relative to the connection's folder, such as line3/2026-11-22.jsonl.",
              std::move(pointer));
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

bool is_name(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (!first && c >= '0' && c <= '9');
}

// The name of the ((placeholder)) at the beginning of the text; empty when there is none.
std::string_view placeholder_at(std::string_view text) {
  if (!text.starts_with("((")) return {};
  std::size_t end = 2;
  while (end < text.size() && is_name(text[end], end == 2)) ++end;
  return end > 2 && text.substr(end).starts_with("))") ? text.substr(2, end - 2)
                                                       : std::string_view{};
}

Result<std::string> value_of(std::string_view name, const Json& parameters) {
  const std::string pointer = fmt::format("/parameters/{}", name);
  const Json& value = get_member(parameters, name);
  if (value.is_null() || value.is_array() || value.is_object()) {
    return fail(ErrorClass::kFunction, "missing_parameter",
                fmt::format("The parameter {} is missing, or is no text or number", name),
                "Give it a value: it is part of the file's path.", pointer);
  }
  std::string text = value.is_string() ? value.as_string() : to_text(value);
  if (text.empty()) return invalid(fmt::format("The parameter {} is empty", name), pointer);
  if (text.find('/') != std::string::npos)
    return invalid(fmt::format("The parameter {} holds a slash", name), pointer);
  return text;
}

// What %x stands for; nullopt for what is none of ours.
std::optional<std::string> time_part(char letter, UtcTime now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(now - day);
  switch (letter) {
    case 'Y':
      return fmt::format("{:04}", static_cast<int>(date.year()));
    case 'm':
      return fmt::format("{:02}", static_cast<unsigned>(date.month()));
    case 'd':
      return fmt::format("{:02}", static_cast<unsigned>(date.day()));
    case 'H':
      return fmt::format("{:02}", time.hours().count());
    case 'M':
      return fmt::format("{:02}", time.minutes().count());
    case '%':
      return "%";
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<void> check_path(std::string_view path) {
  if (path.empty()) return invalid("The path is empty");
  if (path.size() > kMaxPath) return invalid("The path is too long");
  if (path.front() == '/') return invalid("The path is absolute");
  if (std::ranges::any_of(path, is_control)) return invalid("The path holds a control character");
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const auto name = path.substr(begin, end - begin);
    if (name.empty()) return invalid("A name in the path is empty");
    if (name == "." || name == "..") return invalid(fmt::format("The path holds \"{}\"", name));
    if (name.size() > kMaxName) return invalid("A name in the path is too long");
    begin = end + 1;
  }
  return {};
}

Result<void> check_template(std::string_view text) {
  Json names = json_object();
  for (auto at = text.find("(("); at != std::string_view::npos; at = text.find("((", at + 1)) {
    if (const auto name = placeholder_at(text.substr(at)); !name.empty())
      names.insert_or_assign(name, "x");
  }
  auto example = expand_path(text, names, UtcTime{});
  if (!example) return fail(std::move(example.error()));
  return {};
}

Result<std::string> expand_path(std::string_view text, const Json& parameters, UtcTime now) {
  std::string path;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '%') {
      const auto part = at + 1 < text.size() ? time_part(text[at + 1], now) : std::nullopt;
      if (!part) return invalid("After a % stands one of Y, m, d, H, M and %");
      path += *part;
      at += 2;
      continue;
    }
    const auto name = placeholder_at(text.substr(at));
    if (name.empty()) {
      path += text[at++];
      continue;
    }
    auto value = value_of(name, parameters);
    if (!value) return value;
    path += *value;
    at += name.size() + 4;
  }
  TRIBUTARY_TRY(check_path(path));
  return path;
}

std::string numbered(const std::string& path, std::size_t number) {
  if (number == 0) return path;
  const auto slash = path.rfind('/');
  const auto name = slash == std::string::npos ? 0 : slash + 1;
  auto dot = path.rfind('.');
  if (dot == std::string::npos || dot <= name) dot = path.size();
  return fmt::format("{}.{}{}", path.substr(0, dot), number, path.substr(dot));
}

}  // namespace tributary::connectors::file
