#include "connectors/postgresql/src/decode.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace tributary::connectors::postgresql {
namespace {

constexpr int kMaxArrayDepth = 6;  // MAXDIM of the server

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Json integer(std::string_view text) {
  if (const auto value = parse_number<std::int64_t>(text)) return Json(*value);
  if (const auto value = parse_number<std::uint64_t>(text)) return Json(*value);
  return Json(text);
}

Json floating(std::string_view text) {
  const auto value = parse_number<double>(text);
  if (!value) return Json(text);
  return std::isfinite(*value) ? Json(*value) : Json::null();
}

// "-1.50" → "-1.5", "0.00" → "0": the digits that say something.
std::string_view significant(std::string_view text) {
  if (text.find('.') == std::string_view::npos) return text;
  while (text.ends_with('0')) text.remove_suffix(1);
  if (text.ends_with('.')) text.remove_suffix(1);
  return text;
}

Json numeric(std::string_view text) {
  const std::string_view digits = significant(text);
  if (const auto whole = parse_number<std::int64_t>(digits)) return Json(*whole);
  if (const auto whole = parse_number<std::uint64_t>(digits)) return Json(*whole);
  const auto value = parse_number<double>(digits);
  if (!value || !std::isfinite(*value)) return Json(text);
  // A double says the same when its shortest form has the same digits.
  constexpr double kLargestPlain = 1e15;
  constexpr double kSmallestPlain = 1e-4;
  const double size = std::abs(*value);
  const bool plain = size < kLargestPlain && (size >= kSmallestPlain || size == 0);
  if (plain && fmt::format("{}", *value) == digits) return Json(*value);
  return Json(text);
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

Json bytes(std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return Json(text);
  std::string raw;
  raw.reserve(text.size() / 2);
  for (std::size_t at = 2; at + 1 < text.size(); at += 2) {
    const auto high = hex_digit(text[at]);
    const auto low = hex_digit(text[at + 1]);
    if (!high || !low) return Json(text);
    raw += static_cast<char>(*high << 4U | *low);
  }
  return Json(to_base64(raw));
}

// "2026-11-22 10:00:00.1234+00" → "2026-11-22T10:00:00.123400Z". Years that ISO writes otherwise,
// "infinity" and times before our era stay what they are.
Json moment(std::string_view text, bool with_zone) {
  constexpr std::string_view kShape = "0000-00-00 00:00:00";
  if (text.size() < kShape.size()) return Json(text);
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == '0' ? !digit : text[i] != kShape[i]) return Json(text);
  }
  std::string_view rest = text.substr(kShape.size());
  if (with_zone) {
    if (!rest.ends_with("+00")) return Json(text);
    rest.remove_suffix(3);
  }
  std::string fraction;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = rest;
    if (fraction.find_first_not_of("0123456789") != std::string::npos) return Json(text);
  } else if (!rest.empty()) {
    return Json(text);
  }
  fraction.resize(fraction.size() <= 3 ? 3 : std::max<std::size_t>(fraction.size(), 6), '0');
  return Json(fmt::format("{}T{}.{}{}", text.substr(0, 10), text.substr(11, 8), fraction,
                          with_zone ? "Z" : ""));
}

Json document(std::string_view text) {
  auto parsed = parse_json(text);
  return parsed ? *std::move(parsed) : Json(text);
}

// {1,NULL,"a \"b\"",{…}}: PostgreSQL 15, section 8.15.6.
class ArrayReader {
 public:
  ArrayReader(std::string_view text, Kind kind, const DecodeOptions& options)
      : text_(text), kind_(kind), options_(options) {}

  std::optional<Json> read() {
    // "[0:1]={1,2}": bounds that begin elsewhere are left out.
    if (text_.starts_with('[')) {
      const auto equals = text_.find("]={");
      if (equals == std::string_view::npos) return std::nullopt;
      at_ = equals + 2;
    }
    auto list = read_list(0);
    if (!list || at_ != text_.size()) return std::nullopt;
    return list;
  }

 private:
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::optional<Json> read_list(int depth) {
    if (depth >= kMaxArrayDepth || !take('{')) return std::nullopt;
    Json list = json_array();
    if (take('}')) return list;
    do {
      auto element = read_element(depth);
      if (!element) return std::nullopt;
      list.push_back(*std::move(element));
    } while (take(','));
    if (!take('}')) return std::nullopt;
    return list;
  }

  std::optional<Json> read_element(int depth) {
    if (at_ < text_.size() && text_[at_] == '{') return read_list(depth + 1);
    std::string value;
    if (take('"')) {
      while (!take('"')) {
        if (at_ < text_.size() && text_[at_] == '\\') ++at_;
        if (at_ >= text_.size()) return std::nullopt;
        value += text_[at_++];
      }
      return decode_value(value, {kind_, false}, options_);
    }
    const auto end = text_.find_first_of(",}", at_);
    if (end == std::string_view::npos || end == at_) return std::nullopt;
    value = text_.substr(at_, end - at_);
    at_ = end;
    if (value == "NULL") return Json::null();
    return decode_value(value, {kind_, false}, options_);
  }

  std::string_view text_;
  Kind kind_;
  const DecodeOptions& options_;
  std::size_t at_ = 0;
};

}  // namespace

std::string to_base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= count ? kDigits[group >> (18U - 6U * static_cast<unsigned>(i)) & 63U] : '=';
    }
  }
  return text;
}

std::optional<std::string> special_number(std::string_view text, Type type) {
  if (type.array || (type.kind != Kind::kFloat && type.kind != Kind::kNumeric)) return std::nullopt;
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return std::string(text);
  return std::nullopt;
}

Json decode_value(std::string_view text, Type type, const DecodeOptions& options) {
  if (type.array) {
    auto list = ArrayReader(text, type.kind, options).read();
    return list ? *std::move(list) : Json(text);
  }
  switch (type.kind) {
    case Kind::kBool:
      return text == "t" ? Json(true) : text == "f" ? Json(false) : Json(text);
    case Kind::kInteger:
      return integer(text);
    case Kind::kFloat:
      return floating(text);
    case Kind::kNumeric:
      if (special_number(text, type)) return Json::null();
      return options.numeric_as_text ? Json(text) : numeric(text);
    case Kind::kJson:
      return document(text);
    case Kind::kBytes:
      return bytes(text);
    case Kind::kTimestamp:
      return moment(text, false);
    case Kind::kInstant:
      return moment(text, true);
    case Kind::kText:
    case Kind::kTime:
    case Kind::kOther:
      return Json(text);
  }
  return Json(text);
}

}  // namespace tributary::connectors::postgresql
