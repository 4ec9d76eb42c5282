#include "field/text.hpp"

#include <fmt/format.h>

#include <optional>

namespace tributary::field {
namespace {

// Length of the UTF-8 sequence at `at`, 0 when it is not one (RFC 3629: no overlong forms,
// surrogates or > U+10FFFF).
std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(at + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!tail(at + 1) || !tail(at + 2)) return 0;
    if (first == 0xE0 && byte(at + 1) < 0xA0) return 0;
    if (first == 0xED && byte(at + 1) > 0x9F) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!tail(at + 1) || !tail(at + 2) || !tail(at + 3)) return 0;
    if (first == 0xF0 && byte(at + 1) < 0x90) return 0;
    if (first == 0xF4 && byte(at + 1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

void append_utf8(std::string& out, char32_t point) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | (point >> 6));
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3F));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

// The code point at `at` of a valid UTF-8 text; moves `at` behind it.
char32_t next_point(std::string_view text, std::size_t& at) {
  const std::size_t size = utf8_sequence(text, at);
  const auto first = static_cast<unsigned char>(text[at]);
  char32_t point = size == 1 ? first : first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i)
    point = (point << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
  at += size;
  return point;
}

// Where byte `i` of the text travels.
std::size_t place(const Format& format, std::size_t i, std::size_t size) {
  return swaps_bytes(format.order) && (i ^ 1U) < size ? (i ^ 1U) : i;
}

void trim(std::string& text) {
  text.resize(std::min(text.find('\0'), text.size()));
  text.resize(text.find_last_not_of(' ') + 1);
}

Decoded decode_utf16(const std::string& raw) {
  const auto unit = [&](std::size_t i) -> char32_t {
    return (static_cast<unsigned char>(raw[i]) << 8U) | static_cast<unsigned char>(raw[i + 1]);
  };
  std::string text;
  bool whole = true;
  for (std::size_t i = 0; i + 1 < raw.size(); i += 2) {
    char32_t point = unit(i);
    if (point == 0) break;
    const bool high = point >= 0xD800 && point < 0xDC00;
    if (high && i + 3 < raw.size() && unit(i + 2) >= 0xDC00 && unit(i + 2) < 0xE000) {
      point = 0x10000 + ((point - 0xD800) << 10) + (unit(i + 2) - 0xDC00);
      i += 2;
    } else if (point >= 0xD800 && point < 0xE000) {
      point = 0xFFFD;
      whole = false;
    }
    append_utf8(text, point);
  }
  trim(text);
  if (whole) return {std::move(text), kGood, nullptr};
  return {std::move(text), kUncertain, "The text is not UTF-16: half of a character is missing."};
}

std::unexpected<Error> no_such_character(char32_t point, std::string_view encoding) {
  return fail(ErrorClass::kFunction, "not_allowed",
              fmt::format("The character U+{:04X} does not exist in {}.",
                          static_cast<std::uint32_t>(point), encoding));
}

// The bytes of the text in the device's encoding, in the standard order.
Result<std::string> to_encoding(Encoding encoding, std::string_view text) {
  if (!is_utf8(text)) {
    return fail(ErrorClass::kFunction, "wrong_type", "The text is not valid UTF-8.");
  }
  if (encoding == Encoding::kUtf8) return std::string(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = next_point(text, at);
    if (encoding == Encoding::kAscii && point > 0x7F) return no_such_character(point, "ASCII");
    if (encoding == Encoding::kLatin1 && point > 0xFF) return no_such_character(point, "Latin-1");
    if (encoding != Encoding::kUtf16) {
      out.push_back(static_cast<char>(point));
      continue;
    }
    const auto put = [&](char32_t unit) {
      out.push_back(static_cast<char>(unit >> 8));
      out.push_back(static_cast<char>(unit & 0xFF));
    };
    if (point >= 0x10000) {
      put(0xD800 + ((point - 0x10000) >> 10));
      put(0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
      put(point);
    }
  }
  return out;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_sequence(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

std::string latin1_to_utf8(std::string_view latin) {
  std::string out;
  for (const char c : latin) append_utf8(out, static_cast<unsigned char>(c));
  return out;
}

Decoded decode_text(const Format& format, std::span<const std::byte> bytes) {
  std::string raw;
  raw.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i)
    raw.push_back(static_cast<char>(bytes[place(format, i, bytes.size())]));
  if (format.encoding == Encoding::kUtf16) return decode_utf16(raw);
  trim(raw);
  if (format.encoding == Encoding::kLatin1) return {latin1_to_utf8(raw), kGood, nullptr};
  if (format.encoding == Encoding::kAscii) {
    if (std::ranges::all_of(raw, [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
      return {std::move(raw), kGood, nullptr};
    return {latin1_to_utf8(raw), kUncertain, "The text is not ASCII; it was read as Latin-1."};
  }
  if (is_utf8(raw)) return {std::move(raw), kGood, nullptr};
  return {latin1_to_utf8(raw), kUncertain, "The text is not UTF-8; it was read as Latin-1."};
}

Result<void> encode_text(const Format& format, std::string_view text, std::span<std::byte> out) {
  const auto bytes = to_encoding(format.encoding, text);
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->size() > out.size()) {
    return fail(
        ErrorClass::kFunction, "too_long",
        fmt::format("The text has {} bytes; there is room for {}.", bytes->size(), out.size()));
  }
  const std::byte fill{format.padding == Padding::kSpace ? std::uint8_t{' '} : std::uint8_t{0}};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool blank_high = format.encoding == Encoding::kUtf16 && i % 2 == 0;
    out[place(format, i, out.size())] = i < bytes->size() ? static_cast<std::byte>((*bytes)[i])
                                        : blank_high      ? std::byte{0}
                                                          : fill;
  }
  return {};
}

}  // namespace tributary::field
