#include "connectors/postgresql/src/encode.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>
#include <optional>

namespace tributary::connectors::postgresql {
namespace {

constexpr int kMaxArrayDepth = 6;  // MAXDIM of the server

std::unexpected<Error> misfit(std::string why, std::string hint = {}) {
  return fail(ErrorClass::kFunction, "value_does_not_fit", std::move(why), std::move(hint));
}

Result<void> append_text(std::string_view text, std::string& out) {
  if (text.find('\0') != std::string_view::npos)
    return misfit("holds a zero character, which PostgreSQL cannot store in text");
  out += text;
  return {};
}

void append_double(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "Infinity" : "-Infinity";
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

void append_number(const Json& value, std::string& out) {
  if (value.is_int64()) {
    fmt::format_to(std::back_inserter(out), "{}", value.as<std::int64_t>());
  } else if (value.is_uint64()) {
    fmt::format_to(std::back_inserter(out), "{}", value.as<std::uint64_t>());
  } else {
    append_double(value.as_double(), out);
  }
}

std::string_view kind_of(const Json& value) {
  if (value.is_bool()) return "true or false";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "text";
  return value.is_array() ? "a list" : "an object";
}

Result<void> whole_number(const Json& value, std::string& out) {
  if (value.is_double()) {
    const double number = value.as_double();
    constexpr double kBound = 9.2e18;
    if (std::trunc(number) != number || std::abs(number) > kBound)
      return misfit(fmt::format("is {}, and the column takes whole numbers", number),
                    "Round it in the pipeline, where the rule is visible.");
    fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int64_t>(number));
    return {};
  }
  append_number(value, out);
  return {};
}

std::optional<unsigned> base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a' + 26);
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0' + 52);
  if (c == '+') return 62U;
  if (c == '/') return 63U;
  return std::nullopt;
}

Result<void> bytes(std::string_view text, std::string& out) {
  if (text.starts_with("\\x")) return append_text(text, out);
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto wrong = [] {
    return misfit("is text that is not base64", "Bytes are written in base64, or as \\x and hex.");
  };
  if (text.size() % 4 != 0) return wrong();
  out += "\\x";
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const bool padded = at + i >= text.size() - padding;
      const auto digit = padded ? std::optional<unsigned>(0U) : base64_digit(text[at + i]);
      if (!digit) return wrong();
      group = group << 6U | *digit;
    }
    const std::size_t count = at + 4 == text.size() ? 3 - padding : 3;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t byte = group >> (16U - 8U * static_cast<unsigned>(i)) & 255U;
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return {};
}

void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

Result<void> append_element(const Json& value, Type type, std::string& out, std::string& scratch);

Result<void> append_list(const Json& list, Kind kind, std::string& out, int depth) {
  if (depth >= kMaxArrayDepth) return misfit("is a list that is nested too deep");
  std::string scratch;
  out += '{';
  bool first = true;
  for (const Json& value : list.array_range()) {
    if (!std::exchange(first, false)) out += ',';
    if (value.is_array() && kind != Kind::kJson) {
      TRIBUTARY_TRY(append_list(value, kind, out, depth + 1));
    } else {
      TRIBUTARY_TRY(append_element(value, {kind, false}, out, scratch));
    }
  }
  out += '}';
  return {};
}

// One element of the text of an array. `scratch` is only there to be reused.
Result<void> append_element(const Json& value, Type type, std::string& out, std::string& scratch) {
  if (value.is_int64() || value.is_uint64()) {
    const bool plain =
        type.kind == Kind::kInteger || type.kind == Kind::kFloat || type.kind == Kind::kNumeric;
    if (plain && !type.array) {
      append_number(value, out);
      return {};
    }
  }
  scratch.clear();
  auto some = encode_value(value, type, scratch);
  TRIBUTARY_TRY(some);
  if (*some) {
    append_quoted(scratch, out);
  } else {
    out += "NULL";
  }
  return {};
}

Result<void> scalar(const Json& value, Kind kind, std::string& out) {
  const auto wrong = [&](std::string_view wanted) {
    return misfit(fmt::format("is {}, and the column takes {}", kind_of(value), wanted));
  };
  switch (kind) {
    case Kind::kBool:
      if (value.is_bool()) {
        out += value.as_bool() ? "true" : "false";
        return {};
      }
      if (value.is_string() || value.is_int64()) return append_text(value.as_string(), out);
      return wrong("true or false");
    case Kind::kInteger:
      if (value.is_string()) return append_text(value.as_string(), out);
      return value.is_number() ? whole_number(value, out) : wrong("whole numbers");
    case Kind::kFloat:
    case Kind::kNumeric:
      if (value.is_string()) return append_text(value.as_string(), out);
      if (!value.is_number()) return wrong("numbers");
      append_number(value, out);
      return {};
    case Kind::kBytes:
      return value.is_string() ? bytes(value.as_string_view(), out) : wrong("bytes");
    case Kind::kTimestamp:
    case Kind::kInstant:
    case Kind::kTime:
      if (value.is_string()) return append_text(value.as_string(), out);
      return misfit(fmt::format("is {}, and the column takes a date or time", kind_of(value)),
                    "Give it as text, for example 2026-11-22T10:00:00.123Z.");
    case Kind::kJson:
      out += to_text(value);
      return {};
    case Kind::kText:
    case Kind::kOther:
      if (value.is_string()) return append_text(value.as_string_view(), out);
      return append_text(to_text(value), out);
  }
  return {};
}

}  // namespace

Result<bool> encode_value(const Json& value, Type type, std::string& out) {
  if (value.is_null()) return false;
  if (!type.array) {
    TRIBUTARY_TRY(scalar(value, type.kind, out));
    return true;
  }
  if (value.is_string()) {
    TRIBUTARY_TRY(append_text(value.as_string(), out));
    return true;
  }
  if (!value.is_array())
    return misfit(fmt::format("is {}, and the column takes lists", kind_of(value)));
  TRIBUTARY_TRY(append_list(value, type.kind, out, 0));
  return true;
}

Result<void> ColumnList::add(const Json& value) {
  const std::size_t before = text_.size();
  if (before > 1) text_ += ',';
  auto added = append_element(value, type_, text_, value_);
  if (!added) text_.resize(before);
  return added;
}

const std::string& ColumnList::finish() {
  text_ += '}';
  return text_;
}

void append_copy_value(std::string_view text, std::string& line) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        line += "\\\\";
        break;
      case '\t':
        line += "\\t";
        break;
      case '\n':
        line += "\\n";
        break;
      case '\r':
        line += "\\r";
        break;
      default:
        line += c;
    }
  }
}

}  // namespace tributary::connectors::postgresql
